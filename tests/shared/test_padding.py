from shared.padding import padded, padded_tokens


def test_rows_are_as_wide_as_the_longest_and_filled_behind() -> None:
    assert padded([[1, 2, 3], [], [4]], fill=9).tolist() == [[1, 2, 3], [9, 9, 9], [4, 9, 9]]


def test_the_mask_tells_tokens_from_padding_even_where_a_token_is_the_filler() -> None:
    batch = padded_tokens([[5, 0], [0]], fill=0)
    assert batch["tokens"].tolist() == [[5, 0], [0, 0]]
    assert batch["mask"].tolist() == [[1, 1], [1, 0]]
    assert batch["mask"].dtype == batch["tokens"].dtype == "int64"
