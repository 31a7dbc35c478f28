from pathlib import Path

import pytest
from omegaconf import OmegaConf

from shared.errors import UserError
from shared.examples import SummaryExample
from shared.typed_config import typed
from tasks.summarization.derive import derive_style, style_yaml
from tasks.summarization.style import Bounds, HouseStyle, check_style
from tasks.summarization.style_forms import Case, FinalMark, Order, Percent, Person

ECTSUM = Path(__file__).parents[3] / "conf" / "style" / "ectsum.yaml"


def examples(*summaries: tuple[str, ...], document: str = "We make tools.") -> list[SummaryExample]:
    return [SummaryExample(str(number), (document,), bullets) for number, bullets in enumerate(summaries)]


SHORT = ("q3 sales rose 5%.",)
LONG = ("q3 sales rose 5% to $4 million.", "profit fell.", "outlook is kept.")


def test_a_style_has_the_bounds_and_the_choices_of_its_summaries() -> None:
    style = derive_style(examples(SHORT, LONG, SHORT), name="own")
    assert (style.name, style.bullets, style.words) == ("own", Bounds(1, 3), Bounds(2, 7))
    assert (style.case, style.final_mark, style.person) == (Case.lower, FinalMark.stop, Person.third)
    assert (style.percent, style.order, style.repeats) == (Percent.sign, Order.figures_first, False)
    assert (style.period, style.metric, style.value) == (0.01, 0.01, 0.01)
    assert style.metrics == ["sales"]
    assert (style.required, style.forbidden) == ([], [])


def test_a_choice_that_too_few_keep_to_is_not_made() -> None:
    """One summary in twenty may break a rule, two may not."""
    spoken = ("our sales rose 5%.",)
    assert derive_style(examples(*[SHORT] * 19, spoken), name="own").person is Person.third
    assert derive_style(examples(*[SHORT] * 18, spoken, spoken), name="own").person is Person.any


def test_bounds_leave_out_the_rare_summary() -> None:
    """Of 400 summaries a quarter of a percent, one, may be longer."""
    assert derive_style(examples(*[SHORT] * 399, LONG), name="own").bullets == Bounds(1, 1)
    assert derive_style(examples(*[SHORT] * 398, LONG, LONG), name="own").bullets == Bounds(1, 3)


def test_wording_is_what_three_summaries_say_and_no_name() -> None:
    summaries = [("marlow sales rose.",)] * 3 + [("costs fell.",)] * 2
    found = examples(
        *summaries, document="At last Marlow and its sales grew, as Sales of Marlow and sales do."
    )
    assert derive_style(found, name="own").wording == ["rose", "sales"]


def test_an_opening_that_the_house_uses_is_not_refused() -> None:
    style = derive_style(examples(*[("and sales rose.",)] * 3), name="own")
    assert "and" not in style.openings
    assert "thank you" in style.openings


def test_examples_without_a_summary_give_no_style() -> None:
    with pytest.raises(UserError, match="no style in 1 examples without a summary"):
        derive_style([SummaryExample("1", ("Sales rose.",))], name="own")


def test_a_style_file_reads_back_as_the_style(tmp_path: Path) -> None:
    style = derive_style(examples(SHORT, LONG, ("q3 sales: no change.",)), name="own")
    (tmp_path / "own.yaml").write_text(style_yaml(style), encoding="utf-8")
    assert typed(OmegaConf.load(tmp_path / "own.yaml"), HouseStyle, path="style") == style  # type: ignore[arg-type]  # a mapping


def test_a_style_file_begins_with_its_command_and_tells_each_field() -> None:
    lines = style_yaml(derive_style(examples(SHORT), name="own")).splitlines()
    assert lines[:4] == [
        "# House style own, for a person to edit. Derived by: python -m tasks.summarization style data=own",
        "# As records and messages call it.",
        "name: own",
        "# How many bullets a summary has.",
    ]
    assert lines[4] == "bullets: {min: 1, max: 1}"


def ectsum(folder: Path, split: str) -> list[SummaryExample]:
    data = folder / "ectsum" / "data" / "final" / split
    return [
        SummaryExample(path.stem, _lines(data / "ects" / path.name), _lines(path))
        for path in sorted((data / "gt_summaries").iterdir())
    ]


def _lines(path: Path) -> tuple[str, ...]:
    return tuple(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())


@pytest.mark.parametrize(("split", "passing"), [("train", 1612), ("val", 240)])
def test_most_summaries_of_ectsum_pass_its_style(public_data_dir: Path, split: str, passing: int) -> None:
    """95.9 % of 1,681 in train, 96.4 % of 249 in validation."""
    style = typed(OmegaConf.load(ECTSUM), HouseStyle, path="style")  # type: ignore[arg-type]  # a mapping
    found = [check_style(example.bullets, style=style) for example in ectsum(public_data_dir, split)]
    assert sum(not faults for faults in found) == passing
