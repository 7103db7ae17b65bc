//! How much is taken from outside before it is refused, each limit with its reason.
//!
//! A limit is far above every released model that is known and far below what would hurt a laptop. All sizes are bytes.

/// Header of a safetensors file. The `safetensors` crate has the same limit, so no loader reads a longer one.
pub const HEADER: u64 = 100_000_000;

/// Tensors of one checkpoint. The largest mixtures of experts have about 150,000.
pub const TENSORS: usize = 1_000_000;

/// Name of a tensor. Real ones stay below 200 bytes; a longer one would break tables and terminals.
pub const TENSOR_NAME: usize = 1_024;

/// Dimensions of a tensor. `NumPy` and `PyTorch` stop at 64.
pub const RANK: usize = 64;

/// JSON values that describe one tensor: three fields, two offsets, a shape of at most `RANK`, and room for oddities.
pub const VALUES_PER_TENSOR: usize = 256;

/// JSON values of the `__metadata__` of one header. Training tools write some dozens, merge tools some thousands.
pub const METADATA_VALUES: usize = 100_000;

/// JSON nesting. A header needs 3 levels and a configuration about 6; a reader that recurses must stop somewhere.
pub const JSON_DEPTH: usize = 48;

/// `model.safetensors.index.json`. 150,000 tensors take about 15 MB.
pub const INDEX: u64 = 128 << 20;

/// JSON values of an index: two a tensor would be generous.
pub const INDEX_VALUES: usize = 4_000_000;

/// Weights files of one checkpoint. The largest releases have about 200.
pub const SHARDS: usize = 4_096;

/// `config.json`. Some carry 21,000 class labels and reach 1 MB.
pub const CONFIG: u64 = 8 << 20;

/// JSON values of `config.json`, for the same class labels.
pub const CONFIG_VALUES: usize = 500_000;

/// Modules that an adapter says it changes. Usual ones name up to ten kinds; some list every module of a model by
/// itself.
pub const ADAPTER_TARGETS: usize = 4_096;

/// Entries of a model's folder. A release has some dozens; a folder of 100,000 is something else (a whole disk,
/// `/dev`).
pub const FOLDER_ENTRIES: usize = 20_000;

/// One read from a source: the longest thing that is held in memory in one piece is a header.
pub const SINGLE_READ: u64 = 128 << 20;

/// A YAML or text file that a person wrote.
pub const WRITTEN_BY_HAND: u64 = 4 << 20;

/// Name of an element type, such as `F8_E4M3FNUZ`.
pub const DTYPE_NAME: usize = 64;

/// Header of a GGUF file, the vocabulary in it included. The largest vocabularies take about 15 MB.
pub const GGUF_HEADER: u64 = 128 << 20;

/// Keys of a GGUF header. Released models have some dozens.
pub const GGUF_KEYS: u64 = 65_536;

/// Name of a GGUF key; the format allows no longer one.
pub const GGUF_KEY: u64 = 65_535;

/// One text in a GGUF header. Chat templates reach 30 kB, licences 40 kB.
pub const GGUF_TEXT: u64 = 4 << 20;

/// Elements of one array of a GGUF header. The largest vocabularies have 262,144 tokens and twice as many merges.
pub const GGUF_ARRAY: u64 = 16 << 20;

/// Elements of an array of a GGUF header that are kept, as sizes layer by layer are; of a longer one only the length
/// is.
pub const GGUF_KEPT: u64 = 1_024;

/// Arrays in arrays of a GGUF header. The common writers nest none.
pub const GGUF_DEPTH: usize = 4;

/// Alignment of the data of a GGUF file, in bytes. Writers use 32.
pub const GGUF_ALIGNMENT: u32 = 1 << 20;

/// Pickle of a `PyTorch` file, without its data. 150,000 tensors take about 25 MB.
pub const PICKLE: u64 = 64 << 20;

/// Opcodes of a pickle: about 45 a tensor.
pub const PICKLE_OPCODES: usize = 10_000_000;

/// Values of a pickle, each about 100 bytes here: about 15 a tensor.
pub const PICKLE_VALUES: usize = 3_000_000;

/// Values on a pickle's stack. Python's writer never lets more than some thousand wait.
pub const PICKLE_STACK: usize = 100_000;

/// One text in a pickle. A configuration or a licence may be kept in one.
pub const PICKLE_TEXT: usize = 1 << 20;

/// Nesting in a pickle. A model that was saved with its code needs some dozen levels.
pub const PICKLE_DEPTH: usize = 256;

/// Header of one array of `NumPy`. `NumPy` itself reads no longer one unless it is told to.
pub const NUMPY_HEADER: u64 = 10_000;

/// Graph of an ONNX file, without the data of its tensors. A model of 80 layers takes about 5 MB.
pub const ONNX_HEADER: u64 = 64 << 20;

/// Nodes of an ONNX graph. Exported models have some thousands.
pub const ONNX_NODES: usize = 500_000;

/// One node of an ONNX graph. A longer one holds a graph or a tensor of its own, and is passed over.
pub const ONNX_NODE: u64 = 64 << 10;

/// Entries of an archive: one a tensor, and a handful more.
pub const ARCHIVE_ENTRIES: usize = 300_000;

/// Directory of an archive, about 100 bytes an entry.
pub const ARCHIVE_DIRECTORY: u64 = 64 << 20;

/// What stands in the data beside a packed weight and says its shape: about 150 bytes of JSON, or two numbers.
pub const STATED_SHAPE: u64 = 4_096;

/// How many such shapes are read. Weights alike in name and size are read once, so a model has about a dozen.
pub const STATED_SHAPES: usize = 2_048;

/// Requests that are under way at once. More gained nothing in measurements, and hubs begin to refuse.
pub const IN_FLIGHT: usize = 32;

/// Bytes of one request for a part of a file: what a slow line can give before the request is given up.
pub const REQUEST: u64 = 4 << 20;

/// A file that a server gives only as a whole, though a part was asked for.
pub const WHOLE_ANSWER: u64 = 4 << 20;

/// What a hub says about a repository. 20,000 files take about 6 MB.
pub const API_ANSWER: u64 = 16 << 20;

/// Name of a file in a repository.
pub const REMOTE_NAME: usize = 1_024;

/// Address of a model as it is written.
pub const ADDRESS: usize = 4_096;

/// A file of a tokenizer. The largest `tokenizer.json` in use takes 33 MB.
pub const TOKENIZER: u64 = 64 << 20;

/// JSON values of a tokenizer's file: one a token, three a merge; the largest in use have about 2,700,000.
pub const TOKENIZER_VALUES: usize = 4_000_000;

/// Ids of a vocabulary, gaps included, since it is a table by id. The largest in use has 902,629 tokens.
pub const VOCABULARY_IDS: usize = 2 << 20;

/// Merges of a vocabulary. The largest in use has about 515,000.
pub const VOCABULARY_MERGES: usize = 4 << 20;

/// One token. Runs of spaces reach some hundred bytes; a special token that is a whole sentence is still far below.
pub const TOKEN_BYTES: u64 = 64 << 10;

/// Dimensions of a stream. The widest released models have 16,384 or 18,432.
pub const STREAM: u64 = 1 << 17;

/// A fingerprint. One of a model of 70 billion parameters takes about 20 MB.
pub const FINGERPRINT: u64 = 256 << 20;
