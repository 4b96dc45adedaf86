"""The classic article as five numbered steps, each beside the box of the diagram that it speaks of."""

from __future__ import annotations

from workbench.ui.texts import Language, say
from workbench.ui.widgets.html import Safe, element, join
from workbench.ui.widgets.process_diagram import BOXES

# Box → the article's line of code.
CODE = {
    "loader": "train_dataloader = DataLoader(train_examples, shuffle=True, batch_size=16)",
    "model": "model = SentenceTransformer(modules=[word_embedding_model, pooling_model])",
    "loss": "train_loss = losses.CosineSimilarityLoss(model)",
    "evaluator": "evaluator = EmbeddingSimilarityEvaluator.from_input_examples(...)",
    "fit": "model.fit(train_objectives=[(train_dataloader, train_loss)], evaluator=evaluator, ...)",
}


def article_html(language: Language) -> Safe:
    """Five steps: what the article says, its line of code, and what to look at here."""
    steps = [
        element(
            "li",
            join(
                [
                    element("b", say(language, f"train.article_{box}")),
                    element("p", say(language, f"train.article_{box}_text")),
                    element("code", CODE[box]),
                    element(
                        "button",
                        say(language, "train.article_open", box=name),
                        type="button",
                        data_box=box,
                        class_="wb-chip",
                    ),
                ]
            ),
        )
        for box, name in BOXES.items()
    ]
    parts = [
        element("h3", say(language, "train.article_title")),
        element("p", say(language, "train.article_lead"), class_="wb-note"),
        element("ol", join(steps), class_="wb-article"),
        element("p", say(language, "train.article_end"), class_="wb-note"),
    ]
    return join(parts)
