//! YAML as people write it: read with limits, every mistake with its place.
