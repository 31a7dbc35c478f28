"""The trained parts of the heads over an encoder: what they make of its token vectors, and their losses."""
