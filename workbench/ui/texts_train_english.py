"""The words of the Train page in English."""

from __future__ import annotations

TRAIN_ENGLISH: dict[str, str] = {
    "nav.train": "Train",
    "train.lead": (
        "Train a sentence-embedding model and read whether it became better. As it stands: the bundled model "
        "learns which article answers which question of an invented support desk, and is judged on questions "
        "it has never seen."
    ),
    "train.zero_gpu": (
        "The GPU of this Space is lent by the call and for minutes: a training, which outlives its call, runs on "
        "the CPU here."
    ),
    # Buttons
    "train.button_train": "Train",
    "train.button_ways": "Train three ways",
    "train.button_measure": "Measure three steps",
    "train.button_article": "Follow the article",
    "train.button_one_step": "Take one step",
    "train.button_cancel": "Cancel",
    "train.button_resume": "Resume",
    "train.button_compare": "Use in Compare",
    "train.button_zip": "Model (zip)",
    "train.button_html": "Report (HTML)",
    "train.button_json": "Report (JSON)",
    "train.button_code": "Show code",
    "train.button_yaml_out": "Settings (YAML)",
    "train.button_fetch": "Fetch",
    "train.button_print_model": "Print the model",
    "train.button_yaml": "Write the form as YAML",
    "train.button_apply_yaml": "Fill the form from YAML",
    "train.button_script": "Show the script",
    "train.button_push": "Push",
    # Hub
    "train.push": "Push to the Hub",
    "train.push_model": "Which model",
    "train.push_repo": "Repository, owner/name",
    "train.push_private": "Private",
    "train.push_note": (
        "With your own login, into your namespace or one of your organisations. Your token is used for this "
        "upload alone and kept nowhere."
    ),
    "train.push_login": "Sign in with Hugging Face, then open this again: the push is made with your own login.",
    "train.push_incomplete": (
        "This Space asks for a login, and what the login takes is not installed: gradio[oauth] in "
        "requirements.txt, and hf_oauth: true in README.md."
    ),
    "train.pushing": "Uploading, for ten minutes at most …",
    "train.pushed": "It is on the Hub: {url}",
    # Diagram
    "train.diagram": "The classic process; a box opens one step of it",
    "train.box_loader": "examples in batches",
    "train.box_model": "texts to vectors",
    "train.box_loss": "vectors and labels to a number",
    "train.box_evaluator": "chooses the best",
    "train.box_fit": "the loop",
    "train.into_model": "batch",
    "train.into_loss": "the same model",
    "train.into_evaluator": "trained",
    "train.into_fit": "all of them",
    "train.plain": "Beside the plain loop",
    "train.fact_loader": "{rows} rows, {batch} a batch",
    "train.fact_epochs": "{epochs} × the data",
    # State of a run
    "train.queued": "Waiting: place {place} in the queue",
    "train.preparing": "Starting a process of its own: reading data, loading the model …",
    "train.running": "Step {step} of {total} · loss {loss}{speed} · about {left} left",
    "train.speed": " · {tokens} tokens/s",
    "train.judging": "All {total} steps done: judging on held-out data …",
    "train.stopping": "Stopping; a checkpoint is kept …",
    "train.state_complete": "Trained and judged in {seconds}, {steps} steps.",
    "train.state_failed": "It did not work, after {steps} steps and {seconds}.",
    "train.state_cancelled": "Cancelled after {steps} steps and {seconds}; it can be resumed.",
    "train.state_interrupted": "Interrupted after {steps} steps and {seconds}; it can be resumed.",
    "train.seconds": "{seconds} s",
    "train.minutes": "{minutes} min {seconds} s",
    "train.log": "Log",
    "train.log_empty": "Nothing was printed.",
    "train.run_gone": "This link names a run that is not there, or that belongs to another browser.",
    "train.trainings": "Trainings",
    "train.training_way": "Way",
    "train.training_seed": "Seed",
    "train.training_steps": "Steps",
    "train.training_seconds": "Seconds",
    "train.training_final_loss": "Last loss",
    "train.training_best_score": "Best score",
    "train.way_title": "Trained by {way}",
    "train.compare_open": "Open {name} in Compare",
    "train.compare_note": "The link holds for as long as this app runs, for whoever has it.",
    "train.no_proof": "This run has no proof",
    "train.no_model": "This run has left no model",
    "train.see_data": "Something under Data has to change first.",
    "train.see_modules": "Something under Modules and loss has to change first.",
    "train.see_settings": "Something under Settings has to change first.",
    # Data
    "train.data_title": "Data",
    "train.source_support_desk": "Bundled",
    "train.source_paste": "Paste",
    "train.source_file": "File",
    "train.source_hub": "Hub",
    "train.view_answers": "questions with their answers",
    "train.view_pairs": "pairs that mean the same",
    "train.view_scored": "pairs with a score",
    "train.view_labelled": "sentences with a label",
    "train.field_source": "Take the data from",
    "train.field_view": "View",
    "train.field_desk_language": "Language of the data",
    "train.field_pasted": "A pair a line, parted by a tab; or CSV",
    "train.paste_hint": "how do I reset it\tHold the crown for ten seconds …",
    "train.field_file": "CSV, TSV, JSONL or Parquet, up to 20 MB",
    "train.field_hub_name": "Data set on the Hub",
    "train.field_hub_subset": "Subset",
    "train.field_hub_split": "Split",
    "train.field_encoding": "Encoding",
    "train.field_rescale": "Scale of the scores",
    "train.field_held_out_share": "Share kept back",
    "train.as_it_is": "as they are",
    "train.role_found": "found: {role}",
    "train.ignored": "ignored",
    "train.ignore": "leave out",
    "train.role_fixed": "fixed in the bundled set",
    "train.head_column": "Column",
    "train.head_role": "Role",
    "train.head_reason": "Why",
    "train.head_label": "label",
    "train.encoding": "Read as",
    "train.first_lines": "The first lines would be",
    "train.choose_encoding": "Choose an encoding above.",
    "train.parts": "{train} to train on, {dev} to choose the best model by, {test} to judge by ({shape}).",
    "train.parts_without_dev": "{train} to train on, {test} to judge by ({shape}).",
    "train.shape_scored_pairs": "scored pairs",
    "train.shape_triplets": "triplets",
    "train.shape_retrieval": "each question looks for its answer",
    "train.shape_labelled_texts": "labelled texts",
    "train.fact_rows": "{rows} rows",
    "train.fact_encoding": "read as {encoding}",
    "train.fact_scripts": "scripts: {scripts}",
    "train.fact_duplicates": "{rows} repeated rows, {texts} repeated texts, {sides} with two equal sides",
    "train.first_rows": "First rows",
    "train.one_batch": "One batch, as the loss sees it",
    "train.batch_shape": "{rows} rows of {columns} texts.",
    "train.batch_negatives": "The {others} other rows serve as negatives of each.",
    "train.batch_more": "{more} more rows.",
    "train.fetch_first": "Press Fetch to look at the data set.",
    # Modules
    "train.modules_title": "Modules and loss",
    "train.field_model": "Model",
    "train.field_max_seq_length": "Max tokens",
    "train.field_pooling": "Pooling",
    "train.field_dense": "Dense, size",
    "train.field_normalize": "Unit length",
    "train.parameters": "{count} parameters",
    "train.printed": "As Python prints it",
    "train.field_loss": "Loss",
    "train.field_inner": "Loss inside",
    "train.field_evaluator": "Evaluator",
    "train.field_loss_arguments": "Arguments of the loss, one a line",
    "train.field_others": "Other untuned models to judge beside",
    "train.others_note": (
        "A tuned model can beat its base and still be the wrong choice: the best of these stands in the proof. "
        "Bundled, owner/name or a folder; the base itself is left out."
    ),
    "train.evaluator_auto": "the one that fits",
    "train.none": "none",
    "train.all": "all cores",
    "train.loss_fits": "{name} fits: {why}",
    "train.loss_misfit": (
        "{name} does not fit this data: {why}. Those that do: {fitting}. Or name the roles of the columns."
    ),
    "train.loss_mark": "{name} (needs other data)",
    "train.loss_needs": "it takes {columns}{labels}",
    "train.loss_labels": " and {labels}",
    "train.labels_score": "a score",
    "train.labels_binary": "a label of 0 or 1",
    "train.labels_class": "a class",
    "train.labels_margins": "margins",
    "train.labels_scores": "teacher scores",
    "train.labels_vector": "teacher vectors",
    "train.loss_takes": "Arguments: {arguments}",
    "train.loss_wraps": "It wraps the loss inside.",
    # Settings
    "train.settings_title": "Settings",
    "train.more": "More settings",
    "train.field_epochs": "Epochs",
    "train.field_batch_size": "Batch size",
    "train.field_learning_rate": "Learning rate",
    "train.field_warmup": "Warm-up",
    "train.field_seeds": "Seeds",
    "train.field_seed": "First seed",
    "train.field_scheduler": "Schedule",
    "train.field_weight_decay": "Weight decay",
    "train.field_max_grad_norm": "Clip the gradient at",
    "train.field_gradient_accumulation_steps": "Accumulate batches",
    "train.field_precision": "Precision",
    "train.field_threads": "Threads",
    "train.field_dropout": "Dropout",
    "train.field_max_steps": "Stop after steps (0: all)",
    "train.field_evaluation_steps": "Evaluate every (0: epoch)",
    "train.field_checkpoint_steps": "Checkpoint every",
    "train.field_early_stopping_patience": "Early stopping after",
    "train.measuring": "Measuring three real steps in a process of its own …",
    "train.estimate": (
        "{steps} steps of {per_step} s: about {train} to train {seeds}, {judge} to judge, {memory} MB at most. "
    ),
    "train.estimate_seeds": "with {seeds} seeds",
    "train.estimate_one": "once",
    "train.estimate_smallest": (
        "These {items} items could show a difference of {smallest} in {metric} in {power} of cases."
    ),
    # YAML and script
    "train.yaml_title": "Settings and script",
    "train.yaml_note": "The same file runs from the command line: python -m workbench train --config.",
    "train.yaml_file": "The settings name a file: choose it again under Data.",
    "train.yaml_done": "The form is filled.",
    # Opened step
    "train.step_classic": "Classic",
    "train.step_plain": "Plain loop",
    "train.part_examples": "InputExample",
    "train.part_collate": "a batch",
    "train.part_ids": "ids and mask",
    "train.part_token_embeddings": "token embeddings",
    "train.part_pooled": "pooled vectors",
    "train.part_similarity": "similarity",
    "train.part_loss": "the loss",
    "train.part_gradient": "gradient",
    "train.part_update": "update of the weights",
    "train.part_after": "the same pairs again",
    "train.part_evaluate": "evaluate",
    "train.part_save": "save",
    "train.step_batch": "Rows of the batch",
    "train.step_tokens": "Tokens and ids of the first row, column {column}; padding is struck out",
    "train.step_token_embeddings": "Token embeddings, (rows, tokens, dimensions)",
    "train.step_pooled": "Pooled vectors, (rows, dimensions)",
    "train.step_corner": "A corner of the token embeddings of the first row",
    "train.step_vectors": "First values of the first pooled vectors",
    "train.step_formula": "Formula",
    "train.step_loss": "Loss",
    "train.step_same": "The loss holds the model",
    "train.step_norm": "Gradient norm, before clipping",
    "train.step_pair": "Pair",
    "train.step_similarity": "Similarity",
    "train.step_label": "Label",
    "train.step_share": "Share of the loss",
    "train.step_pull": "Pull of the gradient",
    "train.step_layer": "Layer",
    "train.step_layers": "Gradient norm by layer",
    "train.step_rate": "Learning rate",
    "train.step_before": "Before",
    "train.step_after": "After the step",
    "train.step_moved": "Moved",
    "train.step_press": "Press Take one step: the same pairs, a moment later.",
    # The article
    "train.article_title": "The classic article in five steps",
    "train.article_lead": (
        "A well-known article walks through this training and finds it strange at first: objects go into "
        "objects. Unrolled, it is the ordinary loop. Each step opens the box it speaks of."
    ),
    "train.article_open": "Open {box}",
    "train.article_loader": "1. DataLoader",
    "train.article_loader_text": (
        "Each example is an InputExample: texts and a label. A list of them goes into PyTorch's own DataLoader, "
        "which shuffles them and gives batches."
    ),
    "train.article_model": "2. Model definition",
    "train.article_model_text": (
        "Modules in a row: a Transformer turns texts into token embeddings, a Pooling makes one vector of them. "
        "SentenceTransformer is that row."
    ),
    "train.article_loss": "3. Training function definition",
    "train.article_loss_text": (
        "The loss is a module that is given the model itself. Calling it calls the model: loss.model is model, "
        "and what the loss teaches, the model learns."
    ),
    "train.article_evaluator": "4. Evaluator definition",
    "train.article_evaluator_text": (
        "An evaluator measures the model on data kept back for it. fit asks it after each epoch and keeps the "
        "best model."
    ),
    "train.article_fit": "5. Model train (.fit)",
    "train.article_fit_text": (
        "fit is a method of the model, and takes the loss that holds the model. Per batch: compute, compare with "
        "the label, go back, step. Then again, evaluate, save."
    ),
    "train.article_end": (
        "Press Take one step in a box to see the loop's one turn, or Train for all of them."
    ),
}
