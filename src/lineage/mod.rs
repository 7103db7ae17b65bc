//! What can be said of a model, and of a model against a reference: inspect, compare, identify.
