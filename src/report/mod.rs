//! A scorecard in, memos out: HTML and PDF, in every language there is.
