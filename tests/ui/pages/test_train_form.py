"""The form of the Train page: what its values stand for, and that nothing a caller sends passes unchecked."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.recipe.config import TrainingConfig, checked_config
from workbench.ui.pages import train_form as form


def values(**changed):
    return [{**form.DEFAULTS, **changed}[name] for name in form.FIELDS]


def test_the_form_as_it_stands_is_a_run_that_needs_no_typing():
    wish = form.wish_of(values(), [])
    assert wish.seeds == 1
    assert wish.config.data.source == "support-desk"
    assert wish.config.data.view == "answers"
    assert wish.config.loss.name == "MultipleNegativesRankingLoss"
    assert (wish.config.epochs, wish.config.batch_size, wish.config.learning_rate) == (2, 16, 5e-5)


def test_on_zero_gpu_the_form_asks_for_the_cpu_and_the_page_says_so(monkeypatch):
    import gradio as gr

    from workbench.ui.pages.train import train_page

    def told():
        with gr.Blocks() as demo:
            train_page(demo)
        return any(getattr(block, "elem_id", "") == "wb-train-zero-gpu" for block in demo.blocks.values())

    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    assert form.wish_of(values(), []).config.device is None and not told()
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    # The opened step, which runs in the app's own process, goes by it too.
    assert form.wish_of(values(), []).config.device == "cpu" and told()


def test_other_models_are_each_taken_once_and_never_the_base(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_MODELS_ROOT", str(tmp_path))
    (tmp_path / "mine").mkdir()
    assert form.wish_of(values(), []).others == ()
    asked = ["a/b", " a/b ", "", "mine", "./mine", form.BUNDLED]
    assert form.wish_of(values(others=asked), []).others == ("a/b", str(tmp_path / "mine"))
    # With another base, the bundled model is at hand as it stands.
    assert form.wish_of(values(model="a/b"), []).others == (form.BUNDLED,)
    assert form.wish_of(values(model="a/b", others=None), []).others == ()
    assert form.wish_of(values(others="a/c"), []).others == ("a/c",)


@pytest.mark.parametrize(
    ("changed", "place", "code"),
    [
        ({"source": "elsewhere"}, "data", "unknown-choice"),
        ({"source": "paste", "pasted": " \n"}, "data", "nothing-pasted"),
        ({"source": "file"}, "data", "no-file"),
        ({"source": "file", "file": "/etc/passwd"}, "data", "not-an-upload"),
        ({"source": "hub"}, "data", "hub-name-missing"),
        ({"held_out_share": 0.9, "source": "hub", "hub_name": "a/b"}, "data", "config-invalid"),
        ({"model": "../../etc"}, "modules", "model-path-refused"),
        ({"model": 7}, "modules", "not-text"),
        ({"max_seq_length": "many"}, "modules", "not-a-number"),
        ({"max_seq_length": "2"}, "modules", "config-invalid"),
        ({"normalize": "maybe"}, "modules", "unknown-choice"),
        ({"loss_arguments": "scale"}, "modules", "loss-arguments-format"),
        ({"loss_arguments": "a: &b 1\nc: *b"}, "modules", "loss-arguments-format"),
        ({"loss_arguments": "guide: ../../etc"}, "modules", "model-path-refused"),
        ({"others": 7}, "modules", "not-text"),
        ({"others": ["a/b", 7]}, "modules", "not-text"),
        ({"others": ["../../etc"]}, "modules", "model-path-refused"),
        ({"others": [f"a/{n}" for n in range(6)]}, "modules", "too-many-others"),
        ({"epochs": 1.5}, "settings", "not-whole"),
        ({"epochs": 0}, "settings", "config-invalid"),
        ({"learning_rate": "fast"}, "settings", "not-a-number"),
        ({"learning_rate": "nan"}, "settings", "config-invalid"),
        ({"batch_size": True}, "settings", "not-a-number"),
        ({"seeds": 11}, "settings", "seeds-out-of-range"),
        ({"precision": "fp8"}, "settings", "config-invalid"),
    ],
)
def test_an_error_names_the_part_of_the_form_it_belongs_to(changed, place, code, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_MODELS_ROOT", str(tmp_path))
    with pytest.raises(form.FormError) as found:
        form.wish_of(values(**changed), [])
    assert found.value.place == place
    assert found.value.error.code == code


def test_another_number_of_values_is_refused():
    with pytest.raises(WorkbenchError, match="form-values"):
        form.by_name([1, 2])


def test_a_folder_below_the_root_goes_to_the_run_as_a_whole_path(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_MODELS_ROOT", str(tmp_path))
    (tmp_path / "mine").mkdir()
    wish = form.wish_of(values(model="mine"), [])
    assert wish.config.model.name == str(tmp_path / "mine")


def test_a_role_that_was_chosen_overrules_and_the_found_ones_stay_open():
    changed = values(source="paste", pasted="a\tb", role_0="positive", role_2="ignore")
    wish = form.wish_of(changed, ["left", "right", "note"])
    assert dict(wish.config.data.roles) == {"left": "positive", "note": "ignore"}
    assert wish.config.data.source == "input:pasted.csv"


_CONFIGS = st.fixed_dictionaries(
    {
        "data": st.one_of(
            st.fixed_dictionaries(
                {
                    "view": st.sampled_from(form.VIEWS),
                    "language": st.sampled_from(["en", "ko"]),
                }
            ),
            st.fixed_dictionaries(
                {"source": st.just("hub:owner/name"), "split": st.sampled_from(["train", "dev"])}
            ),
        ),
        "model": st.fixed_dictionaries(
            {
                "max_seq_length": st.none() | st.integers(3, 512),
                "pooling": st.sampled_from([None, "cls", "mean+max"]),
                "dense": st.none() | st.integers(1, 512),
                "normalize": st.sampled_from([None, True, False]),
            }
        ),
        "loss": st.fixed_dictionaries(
            {
                "name": st.sampled_from(["CoSENTLoss", "MultipleNegativesRankingLoss"]),
                "arguments": st.dictionaries(st.sampled_from(["scale", "margin"]), st.integers(1, 50)),
            }
        ),
        "epochs": st.integers(1, 20),
        "batch_size": st.integers(1, 256),
        "learning_rate": st.sampled_from([1e-5, 2e-5, 3.5e-4]),
        "warmup": st.sampled_from([0.0, 0.1, 25.0]),
        "threads": st.none() | st.integers(1, 8),
        "early_stopping_patience": st.none() | st.integers(1, 5),
        "dropout": st.booleans(),
        "max_steps": st.integers(0, 100),
        "seed": st.integers(0, 2**32 - 1),
    }
)


@given(_CONFIGS, st.integers(1, form.MAX_SEEDS))
@settings(max_examples=40, deadline=None)
def test_a_config_shown_in_the_form_is_read_back_the_same(given_values, seeds):
    config: TrainingConfig = checked_config(given_values)
    wish = form.wish_of(values(**form.form_values(config, seeds)), [])
    assert wish.config == config
    assert wish.seeds == seeds


def test_a_key_is_new_each_time():
    assert form.new_key() != form.new_key()
