"""One package per task; each plugs a data adapter and a metric into `shared`."""
