"""The classic script: data, model, loss, evaluator, fit. Only its import line differs from the old one.

Run: ``python examples/classic.py``
"""

from torch.utils.data import DataLoader

from workbench import InputExample, SentenceTransformer, evaluation, losses, models

epochs, warmup_steps, evaluation_steps = 1, 2, 1
eval_examples = [
    InputExample(texts=["A cat sleeps.", "A cat is asleep."], label=0.9),
    InputExample(texts=["A cat sleeps.", "The stock fell."], label=0.1),
    InputExample(texts=["It rains.", "Rain is falling."], label=0.8),
    InputExample(texts=["It rains.", "He plays chess."], label=0.0),
]
eval_dataloader = DataLoader(eval_examples, shuffle=False, batch_size=16)

### 1. DataLoader
train_examples = [
    InputExample(texts=["My first sentence", "My second sentence"], label=0.8),
    InputExample(texts=["Another pair", "Unrelated sentence"], label=0.3),
]
train_dataloader = DataLoader(train_examples, shuffle=True, batch_size=16)

### 2. Model definition
word_embedding_model = models.Transformer("all-MiniLM-L6-v2", max_seq_length=256)
pooling_model = models.Pooling(word_embedding_model.get_word_embedding_dimension())
model = SentenceTransformer(modules=[word_embedding_model, pooling_model])

### 3. Training function definition
train_loss = losses.CosineSimilarityLoss(model)

### 4. Evaluator definition
evaluator = evaluation.EmbeddingSimilarityEvaluator.from_input_examples(
    eval_dataloader, batch_size=1, name="sts-dev"
)

### 5. Model train (.fit)
model.fit(
    train_objectives=[(train_dataloader, train_loss)],
    epochs=epochs,
    warmup_steps=warmup_steps,
    evaluator=evaluator,
    evaluation_steps=evaluation_steps,
)
print(evaluator(model))
