import math
from typing import Any

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors

from shared.density import Floats, NormalDensity, fit_density, fit_scales, standard_scores
from shared.errors import UserError
from shared.surface import surfaces, surfaces_of_training, words

COLOURS = ["red", "Green", "blue", "teal", "pink"]
AXES = np.eye(3, dtype=np.float32)
NONE = np.zeros((0, 3), dtype=np.float32)


def random_embeddings(number: int, *, seed: int, dimensions: int = 6) -> Floats:
    drawn = np.random.default_rng(seed).normal(size=(number, dimensions)) + 1.0
    found: Floats = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return found


def random_texts(number: int, *, seed: int) -> list[str]:
    generator = np.random.default_rng(seed)
    drawn = [generator.choice(COLOURS, size=generator.integers(1, 6)) for _ in range(number)]
    return [
        f"{' '.join(words)} {generator.integers(10**6)}{'!' * (place % 3)}"
        for place, words in enumerate(drawn)
    ]


def random_density(
    *, number: int = 300, num_anomalies: int = 4, max_neighbours: int = 10**6
) -> NormalDensity:
    return fit_density(
        random_embeddings(number, seed=1),
        random_texts(number, seed=1),
        anomalies=random_embeddings(num_anomalies, seed=2),
        anomaly_texts=random_texts(num_anomalies, seed=2),
        max_neighbours=max_neighbours,
        seed=7,
        probe=True,
    )


def small_density(anomalies: Floats = NONE) -> NormalDensity:
    return fit_density(
        AXES[:2],
        ["one", "two"],
        anomalies=anomalies,
        anomaly_texts=["odd", "strange"][: len(anomalies)],
        max_neighbours=9,
        seed=0,
        probe=True,
    )


def test_neighbours_and_likeness_are_read_off_the_cosines() -> None:
    given = np.array([[1, 0, 0], [0.6, 0, 0.8], [0, 0, 1]], dtype=np.float32)
    found = small_density(AXES[2:]).parts(given, ["a", "b", "c"])
    assert found["neighbours"] == pytest.approx([0.0, 0.4, 1.0])
    assert found["likeness"] == pytest.approx([-1.0, 0.2, 1.0])


def test_without_known_anomalies_nothing_is_like_one() -> None:
    found = small_density().parts(AXES, ["a", "b", "c"])
    assert found["likeness"].tolist() == found["probe"].tolist() == [0.0, 0.0, 0.0]


def test_the_probe_is_the_logistic_regression_of_scikit_learn_on_embedding_and_writing() -> None:
    density, given = random_density(), random_embeddings(40, seed=3)
    texts, odd = random_texts(300, seed=1), random_texts(4, seed=2)

    def read(embeddings: Floats, written: Any) -> Any:
        scaled = (written - density.surface_location) / density.surface_scale
        return np.hstack([embeddings, 0.2 * np.clip(scaled, -4, 4)])

    known = density.known_words
    reference = LogisticRegression(C=10, class_weight="balanced", max_iter=3000).fit(
        np.vstack(
            [
                read(random_embeddings(300, seed=1), surfaces_of_training(texts)),
                read(random_embeddings(4, seed=2), surfaces(odd, known_words=known)),
            ]
        ),
        [0] * 300 + [1] * 4,
    )
    new = random_texts(40, seed=4)
    expected = reference.decision_function(read(given, surfaces(new, known_words=known)))
    assert density.parts(given, new)["probe"] == pytest.approx(expected, abs=1e-4)


def test_a_density_of_before_the_probe_scores_as_it_did() -> None:
    density = random_density()
    arrays = {name: array for name, array in density.arrays().items() if name != "probe"}
    older = NormalDensity.from_state(arrays, density.texts, density.words)
    given, texts = random_embeddings(40, seed=3), random_texts(40, seed=4)
    before, after = older.parts(given, texts), density.parts(given, texts)
    assert before.pop("probe").tolist() == [0.0] * 40
    assert all((before[name] == after[name]).all() for name in before)


def test_the_spread_counts_in_the_mahalanobis_distance() -> None:
    # Two texts vary along (1, -1, 0) alone: by 0.5 on the diagonal, which is 1 standard deviation from the
    # mean; a direction that they do not use has the variance floor of 1e-6, 1000 standard deviations a unit.
    found = small_density().parts(np.array([[0, 1, 0], [0.5, 0.5, 1.0]], dtype=np.float32), ["a", "b"])
    assert found["mahalanobis"] == pytest.approx([1.0, 1000.0], rel=1e-3)


def test_mahalanobis_agrees_with_the_reference() -> None:
    given = random_embeddings(50, seed=3)
    reference = LedoitWolf().fit(random_embeddings(300, seed=1).astype(np.float64)).mahalanobis(given)
    found = random_density().parts(given, random_texts(50, seed=3))["mahalanobis"]
    np.testing.assert_allclose(found, np.sqrt(reference), rtol=1e-3)


def test_surface_is_the_mean_distance_to_the_ten_nearest() -> None:
    normal, given = random_texts(300, seed=1), random_texts(50, seed=3)
    train = surfaces_of_training(normal)
    new = surfaces(given, known_words={word for text in normal for word in words(text)})
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    search = NearestNeighbors(n_neighbors=10, algorithm="brute").fit((train - mean) / deviation)
    reference = search.kneighbors((new - mean) / deviation)[0].mean(axis=1)
    found = random_density().parts(random_embeddings(50, seed=3), given)["surface"]
    np.testing.assert_allclose(found, reference, atol=1e-5)


def test_a_text_written_like_no_other_stands_out_by_its_surface_alone() -> None:
    normal = ["the pump runs well", "the valve is open", "the pump is open", "the valve runs well"]
    density = fit_density(
        random_embeddings(4, seed=1),
        normal,
        anomalies=np.zeros((0, 6), np.float32),
        anomaly_texts=[],
        max_neighbours=9,
        seed=0,
        probe=True,
    )
    plain, loud = density.parts(
        random_embeddings(2, seed=1), ["the pump is well", "CALL 08005550199 NOW!!!"]
    )["surface"]
    assert loud > 5 * plain


def test_equal_texts_are_counted_once() -> None:
    once = small_density(AXES[2:])
    twice = fit_density(
        AXES[[0, 1, 0, 0]],
        ["one", "two", "one", "one"],
        anomalies=AXES[[2, 2]],
        anomaly_texts=["odd", "odd"],
        max_neighbours=9,
        seed=0,
        probe=True,
    )
    assert twice.texts == ("one", "two") and twice.words == ("one", "two") and twice.anomalies.shape == (1, 3)
    for name, array in once.arrays().items():
        np.testing.assert_array_equal(twice.arrays()[name], array)


def test_of_too_many_texts_a_seeded_sample_is_kept_in_order_but_all_make_the_mean() -> None:
    whole, sample, again = (
        random_density(),
        random_density(max_neighbours=20),
        random_density(max_neighbours=20),
    )
    assert sample.texts == again.texts and len(sample.texts) == 20 and sample.embeddings.shape == (20, 6)
    assert [whole.texts.index(text) for text in sample.texts] == sorted(map(whole.texts.index, sample.texts))
    places = [whole.texts.index(text) for text in sample.texts]
    np.testing.assert_array_equal(sample.embeddings, whole.embeddings[places])
    np.testing.assert_array_equal(sample.surfaces, whole.surfaces[places])
    np.testing.assert_array_equal(sample.mean, whole.mean)
    assert sample.words == whole.words


def test_a_restored_density_scores_exactly_as_the_saved_one() -> None:
    density = random_density(max_neighbours=100)
    restored = NormalDensity.from_state(density.arrays(), list(density.texts), list(density.words))
    assert {array.dtype for array in density.arrays().values()} == {np.dtype(np.float32)}
    given, texts = random_embeddings(40, seed=5), random_texts(40, seed=5)
    found = restored.parts(given, texts)
    for name, part in density.parts(given, texts).items():
        np.testing.assert_array_equal(found[name], part)


def test_blocks_of_texts_give_what_all_at_once_give() -> None:
    given = random_embeddings(2500, seed=4)
    density = random_density()
    expected = 1 - (given.astype(np.float64) @ density.embeddings.T.astype(np.float64)).max(axis=1)
    found = density.parts(given, ["red"] * 2500)["neighbours"]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_nearest_are_named_by_place_with_their_cosine_the_first_of_equals_first() -> None:
    given = np.array([[0.6, 0.8, 0], [0, 0, 1]], dtype=np.float32)
    far, equal = small_density().nearest(given, 5)
    assert [place for place, _ in far] == [1, 0]
    assert [cosine for _, cosine in far] == pytest.approx([0.8, 0.6])
    assert equal == [(0, 0.0), (1, 0.0)]
    assert [len(row) for row in small_density().nearest(given, 1)] == [1, 1]


def test_no_texts_have_no_parts() -> None:
    found = small_density(AXES[2:]).parts(NONE, [])
    assert {name: part.shape for name, part in found.items()} == dict.fromkeys(
        ("neighbours", "mahalanobis", "surface", "likeness", "probe"), (0,)
    )


def test_one_text_alone_is_no_density() -> None:
    with pytest.raises(UserError, match="1 different normal texts among 2"):
        fit_density(
            AXES[:2], ["one", "one"], anomalies=NONE, anomaly_texts=[], max_neighbours=9, seed=0, probe=True
        )


def test_scales_are_mean_and_deviation_and_a_hundredth_at_least() -> None:
    parts = {"neighbours": np.array([1.0, 3.0]), "likeness": np.array([0.1, 0.1, 0.1])}
    location, scale = fit_scales(parts)
    assert location == pytest.approx({"neighbours": 2.0, "likeness": 0.1})
    assert scale == {"neighbours": 1.0, "likeness": 0.01}
    assert fit_scales({"neighbours": np.array([1.0, 5.0])})[1] == {"neighbours": 2.0}


def test_standard_scores_weigh_the_standardised_parts() -> None:
    found = standard_scores(
        {"neighbours": np.array([4.0, 2.0]), "surface": np.array([1.0, 7.0])},
        location={"neighbours": 2.0, "surface": 1.0},
        scale={"neighbours": 4.0, "surface": 3.0},
        weights={"neighbours": 1.0, "surface": 0.5},
    )
    assert found.tolist() == [0.5, 1.0]


def test_texts_that_no_encoder_tells_apart_have_finite_distances() -> None:
    density = fit_density(
        AXES[[0, 0, 0]],
        ["a", "b", "c"],
        anomalies=NONE,
        anomaly_texts=[],
        max_neighbours=9,
        seed=0,
        probe=True,
    )
    found = density.parts(AXES[:2], ["a", "b"])["mahalanobis"]
    assert found == pytest.approx([0.0, 1000 * math.sqrt(2)], rel=1e-3)
