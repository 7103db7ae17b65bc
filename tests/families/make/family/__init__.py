"""Tiny language models with a known lineage: corpora, models, training, transforms, storage."""
