"""One file per kind of answer; none imports another, and only their settings are known without torch."""
