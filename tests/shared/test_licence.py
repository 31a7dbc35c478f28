import pytest

from shared.licence import hub_licence, restriction


@pytest.mark.parametrize(
    ("base", "data", "limit"),
    [
        ("Apache-2.0", "CC BY 4.0", ""),
        ("Apache-2.0", "CC BY-NC 4.0", "not for commercial use"),
        ("MIT", "Loghub licence: free for research or academic work", "not for commercial use"),
        (None, "not stated in the repository", "the terms of the data are not stated"),
        (None, "that of this project", ""),
    ],
)
def test_the_stricter_licence_limits_the_use(base: str | None, data: str, limit: str) -> None:
    assert restriction(base, data) == limit


@pytest.mark.parametrize(
    ("base", "data", "name"),
    [
        ("Apache-2.0", "CC BY-NC 4.0", "cc-by-nc-4.0"),
        ("MIT", "GPL-3.0", "gpl-3.0"),
        ("Apache-2.0", "yours", "other"),
        ("Llama-3.1-Community", "MIT", "other"),
    ],
)
def test_the_hub_is_told_the_datas_licence_where_the_base_leaves_the_choice(
    base: str, data: str, name: str
) -> None:
    assert hub_licence(base, data) == name
