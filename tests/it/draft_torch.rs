//! Writes PyTorch files for the hostile fixtures: opcodes by name, and entries of a zip archive.

/// One entry of an archive that is being described, with what may be wrong about it.
#[derive(Default)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) name_before_data: Option<String>,
    pub(crate) method: u16,
    pub(crate) claims: Option<u64>,
    pub(crate) body: Vec<u8>,
}

/// Numbers of 64 bits in an archive, as a file of more than 4 GB has them, with what may be wrong about them.
#[derive(Default)]
pub(crate) struct Long {
    /// How many entries the long record at the end claims, and the short one behind it.
    pub(crate) count: Option<u64>,
    pub(crate) short_count: Option<u16>,
    /// Where the pointer says that the long record is.
    pub(crate) record: Option<u64>,
}

/// An archive of these entries, as `torch.save` writes it: nothing compressed, the directory at the end.
pub(crate) fn archive(entries: &[Entry], long: Option<&Long>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut directory = Vec::new();
    for it in entries {
        let at = file.len() as u64;
        let before = it.name_before_data.as_ref().unwrap_or(&it.name);
        let packed = it.body.len() as u64;
        let claimed = it.claims.unwrap_or(packed);
        // In 64 bits, what does not fit into 32 stands behind the name: the size, the packed size, the place.
        let extra = if long.is_some() { long_numbers([claimed, claimed, at]) } else { Vec::new() };
        let short = |number: u64| if long.is_some() { u32::MAX } else { number as u32 }.to_le_bytes();
        let method = [0, it.method, 0, 0, 0, 0].map(u16::to_le_bytes).concat();
        let shared = [&method[..], &short(packed), &short(claimed)].concat();
        file.extend([&b"PK\x03\x04\0\0"[..], &shared, &lengths(before, 0), before.as_bytes(), &it.body].concat());
        let behind = [0_u8; 10];
        directory.extend([&b"PK\x01\x02\0\0\0\0"[..], &shared, &lengths(&it.name, extra.len()), &behind].concat());
        directory.extend([&short(at)[..], it.name.as_bytes(), &extra].concat());
    }
    let (count, size, start) = (entries.len() as u64, directory.len() as u64, file.len() as u64);
    file.extend(directory);
    if let Some(long) = long {
        file.extend(long_end(long, long.count.unwrap_or(count), size, start));
    }
    let unset = |number: u64| if long.is_some() { u32::MAX } else { number as u32 };
    let short_count = long.map_or(count as u16, |it| it.short_count.unwrap_or(u16::MAX));
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([short_count, short_count].map(u16::to_le_bytes).concat());
    file.extend([unset(size), unset(start)].map(u32::to_le_bytes).concat());
    file.extend([0, 0]);
    file
}

/// The extra field 1.
fn long_numbers(numbers: [u64; 3]) -> Vec<u8> {
    [&[1, 0, 24, 0][..], &numbers.map(u64::to_le_bytes).concat()].concat()
}

/// The long record of the end, and the pointer to it.
fn long_end(long: &Long, count: u64, size: u64, start: u64) -> Vec<u8> {
    let record = [&b"PK\x06\x06"[..], &44_u64.to_le_bytes(), &[45, 0, 45, 0], &[0; 8]].concat();
    let numbers = [count, count, size, start].map(u64::to_le_bytes).concat();
    let at = long.record.unwrap_or(start + size);
    let pointer = [&b"PK\x06\x07\0\0\0\0"[..], &at.to_le_bytes(), &[1, 0, 0, 0]].concat();
    [record, numbers, pointer].concat()
}

fn lengths(name: &str, extra: usize) -> Vec<u8> {
    [name.len() as u16, extra as u16].map(u16::to_le_bytes).concat()
}

/// The bytes of one opcode with its argument, or of one of the two short cuts `tensor KEY ELEMENTS` and `text TEXT`.
pub(crate) fn opcode(line: &str) -> Vec<u8> {
    let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
    let number = || rest.parse::<u32>().unwrap();
    let two_lines = |code: u8| [&[code][..], rest.replace(' ', "\n").as_bytes(), b"\n"].concat();
    match name {
        "proto" => vec![0x80, number() as u8],
        "global" => two_lines(b'c'),
        "inst" => two_lines(b'i'),
        "text" => [&b"X"[..], &(rest.len() as u32).to_le_bytes(), rest.as_bytes()].concat(),
        "int" => [&b"J"[..], &number().to_le_bytes()].concat(),
        "put" => [&b"r"[..], &number().to_le_bytes()].concat(),
        "get" => [&b"j"[..], &number().to_le_bytes()].concat(),
        "ext4" => [&[0x84][..], &number().to_le_bytes()].concat(),
        "tensor" => tensor(rest),
        other => vec![plain(other)],
    }
}

fn plain(name: &str) -> u8 {
    match name {
        "mark" => b'(',
        "stop" => b'.',
        "none" => b'N',
        "false" => 0x89,
        "empty-dict" => b'}',
        "empty-list" => b']',
        "empty-tuple" => b')',
        "tuple" => b't',
        "tuple1" => 0x85,
        "tuple2" => 0x86,
        "list" => b'l',
        "append" => b'a',
        "setitem" => b's',
        "setitems" => b'u',
        "memoize" => 0x94,
        "stack-global" => 0x93,
        "persid" => b'Q',
        "reduce" => b'R',
        "newobj" => 0x81,
        "newobj-ex" => 0x92,
        "obj" => b'o',
        "build" => b'b',
        "pop" => b'0',
        other => panic!("unknown opcode {other:?}"),
    }
}

/// What `torch.save` writes for a plain row of numbers.
fn tensor(rest: &str) -> Vec<u8> {
    let (key, elements) = rest.split_once(' ').unwrap();
    let storage =
        format!("mark|text storage|global torch FloatStorage|text {key}|text cpu|int {elements}|tuple|persid");
    let view = format!("int 0|int {elements}|tuple1|int 1|tuple1|false");
    let hooks = "global collections OrderedDict|empty-tuple|reduce";
    let lines = format!("global torch._utils _rebuild_tensor_v2|mark|{storage}|{view}|{hooks}|tuple|reduce");
    opcodes(&lines)
}

/// Several opcodes with `|` between them.
pub(crate) fn opcodes(lines: &str) -> Vec<u8> {
    lines.split('|').flat_map(opcode).collect()
}
