//! Writes PyTorch files for the hostile fixtures: opcodes by name, and entries of a zip archive.

/// One entry of an archive that is being described, with what may be wrong about it.
#[derive(Default)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) name_before_data: Option<String>,
    pub(crate) method: u16,
    pub(crate) claims: Option<u32>,
    pub(crate) body: Vec<u8>,
}

/// An archive of these entries, as `torch.save` writes it: nothing compressed, the directory at the end.
pub(crate) fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut directory = Vec::new();
    for it in entries {
        let offset = (file.len() as u32).to_le_bytes();
        let before = it.name_before_data.as_ref().unwrap_or(&it.name);
        let packed = it.body.len() as u32;
        let mut shared = [0, it.method, 0, 0, 0, 0].map(u16::to_le_bytes).concat();
        shared.extend([packed, it.claims.unwrap_or(packed)].map(u32::to_le_bytes).concat());
        file.extend([&b"PK\x03\x04\0\0"[..], &shared, &lengths(before), before.as_bytes(), &it.body].concat());
        let behind = [0_u8; 10];
        directory.extend(
            [&b"PK\x01\x02\0\0\0\0"[..], &shared, &lengths(&it.name), &behind, &offset, it.name.as_bytes()].concat(),
        );
    }
    let (count, size, start) = (entries.len() as u16, directory.len() as u32, file.len() as u32);
    file.extend(directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([count, count].map(u16::to_le_bytes).concat());
    file.extend([size, start].map(u32::to_le_bytes).concat());
    file.extend([0, 0]);
    file
}

fn lengths(name: &str) -> Vec<u8> {
    [name.len() as u16, 0].map(u16::to_le_bytes).concat()
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
