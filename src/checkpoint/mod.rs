//! Files in, one table of tensors out; never the data.
