//! Where bytes come from: a file or memory; and how a file is replaced without ever being half written.
