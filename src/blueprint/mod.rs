//! What a model is built like: templates, roles, dimensions, and whether two blueprints answer each other.
