import numpy as np

from shared.document_evidence import share_evidence
from shared.examples import SpanExample
from shared.words import find_words


def test_a_name_takes_its_evidence_from_the_whole_document() -> None:
    """Nikkei is 4 for ORG in one sentence and -2 in the next: half shared, 4 -> 2.5 and -2 -> -0.5."""
    texts = [("a", "Nikkei"), ("a", "Nikkei up"), ("b", "Nikkei")]
    examples = [SpanExample(text, text, (), find_words(text), document) for document, text in texts]
    scores = [np.array([[4.0]]), np.array([[-2.0], [7.0]]), np.array([[1.0]])]
    shared = share_evidence(examples, scores, share=0.5)
    assert [rows.tolist() for rows in shared] == [[[2.5]], [[-0.5], [7.0]], [[1.0]]]
    assert [rows.tolist() for rows in share_evidence(examples, scores, share=0.0)] == [
        rows.tolist() for rows in scores
    ]
