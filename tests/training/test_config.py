"""The recipes: what a run does where the user does not say."""

import pytest

from minialex.errors import UserError
from minialex.training.config import (
    RECIPES,
    check,
    check_options,
    choose_recipe,
    resolve,
    save_interval,
)


def test_the_papers_recipe():
    config = resolve({"data": "x", "paper": True}, 1200, 400)
    assert (config.batch_size, config.lr, config.momentum, config.weight_decay) == (128, 0.01, 0.9,
                                                                                    0.0005)
    assert (config.epochs, config.schedule, config.init, config.pixels,
            config.dropout) == (90, "plateau", "paper", "raw", 0.5)


@pytest.mark.parametrize("variant, count, builtin, paper, name", [
    ("paper", 999, False, False, "small"),
    ("paper", 1_000, False, False, "middle"),
    ("single-tower", 4_999, False, False, "middle"),
    ("torchvision", 1_200, False, False, "small"),  # what was measured has response norm behind conv1  # noqa: E501
    ("paper", 5_000, False, False, "small"),
    ("paper", 99_999, False, False, "small"),
    ("paper", 100_000, False, False, "paper"),
    ("torchvision", 1_200, True, False, "builtin"),
    ("paper", 1_200, True, True, "paper"),
    ("lenet5", 1_200, True, False, "lenet5"),
])
def test_choice_of_the_recipe(variant, count, builtin, paper, name):
    given = {"variant": variant, "paper": paper, "data": None if builtin else "x"}
    assert choose_recipe(given, count) == name


def test_small_sets_start_from_what_learns():
    for count, recipe in ((400, "small"), (1200, "middle")):
        config = resolve({"data": "x"}, count, 400)
        assert (config.recipe, config.init, config.pixels, config.schedule) == (recipe, "he",
                                                                                "unit", "linear")
        assert config.batch_size == 32
    for name in ("small", "middle", "builtin"):
        assert set(RECIPES[name]) == set(RECIPES["paper"])


@pytest.mark.parametrize("epochs, recipe", [(19, "small"), (20, "middle"), (90, "middle")])
def test_a_short_run_is_over_before_the_first_layer_has_moved(epochs, recipe):
    assert resolve({"data": "x", "epochs": epochs}, 1200, 400).recipe == recipe


def test_what_the_user_says_wins():
    config = resolve({"data": "x", "paper": True, "lr": 0.5, "epochs": 3, "init": "he"}, 1200, 400)
    assert (config.lr, config.epochs, config.init, config.batch_size) == (0.5, 3, "he", 128)


@pytest.mark.parametrize("train, val, expected", [(1200, 400, 180), (1200, 100, 100),
                                                  (1_281_167, 50_000, 50_000), (3, 2, 1)])
def test_validation_costs_a_twentieth(train, val, expected):
    assert resolve({"data": "x"}, train, val).val_images == expected


@pytest.mark.parametrize("epochs, expected", [(30, [18, 26]), (10, [6, 8]), (2, [1]), (1, [])])
def test_the_learning_rate_falls_at_60_and_85_percent(epochs, expected):
    assert resolve({"data": "x", "epochs": epochs, "schedule": "steps"}, 1200,
                   400).drops() == expected


def test_milestones_are_those_given():
    config = resolve({"data": "x", "epochs": 90, "milestones": "30, 60,80"}, 1200, 400)
    assert config.schedule == "milestones" and config.drops() == [30, 60, 80]


@pytest.mark.parametrize("text, expected", [("10", (None, 600.0)), ("1.5min", (None, 90.0)),
                                            ("500steps", (500, None)), ("1 step", (1, None))])
def test_save_intervals(text, expected):
    assert save_interval(text) == expected


@pytest.mark.parametrize("given, words", [
    ({"save_every": "1.5steps"}, "--save-every 1.5steps is not possible"),
    ({"save_every": "0min"}, "--save-every 0min is not possible"),
    ({"milestones": "30,20"}, "--milestones 30,20 is not possible: it needs rising numbers"),
    ({"milestones": "0,20"}, "--milestones 0,20 is not possible"),
    ({"milestones": "soon"}, "--milestones soon is not possible"),
    ({"milestones": "3", "schedule": "steps"}, "belong to --schedule milestones, not to steps"),
    ({"schedule": "milestones"}, "--schedule milestones needs to know them"),
    ({"accumulate": 9, "batch_size": 8}, "--accumulate 9 cannot cut a batch of 8 pictures"),
])
def test_options_that_do_not_go_together(given, words):
    with pytest.raises(UserError, match=words):
        check(given)


@pytest.mark.parametrize("name, bad, good", [
    ("epochs", 0, 1), ("batch_size", 0, 1), ("lr", -0.1, 0.1), ("lr", 0.0, 1e-6),
    ("lr", float("nan"), 1.0), ("lr", float("inf"), 1.0), ("momentum", 1.0, 0.0),
    ("momentum", -0.1, 0.99), ("weight_decay", -1e-9, 0.0), ("dropout", 1.0, 0.0),
    ("val_fraction", 0.0, 0.5), ("val_fraction", 1.0, 0.5), ("val_images", 0, 1), ("seed", -1, 0),
    ("workers", 0, 1), ("warmup", -1, 0), ("accumulate", 0, 1)])
def test_impossible_numbers_are_refused_by_name(name, bad, good):
    check({name: good})
    with pytest.raises(UserError,
                       match=f"^--{name.replace('_', '-')} .* is not possible: it needs"):
        check({name: bad})


@pytest.mark.parametrize("name", ["data", "out", "resume", "init", "model", "mean", "labels",
                                  "class_names", "freeze", "class_weights"])
def test_an_empty_name_is_a_mistake_not_a_default(name):
    """--init "$WEIGHTS" with a variable that was never set must not train from scratch."""
    with pytest.raises(UserError, match=f"--{name.replace('_', '-')} is empty: it needs "):
        check_options({name: ""})
