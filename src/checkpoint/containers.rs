//! Files of programs that are not read here, each with what it is and the way to weights that are.

use std::path::Path;

use crate::bytes::last_part;

/// One kind of file, told by its name, and by its first bytes where the name alone does not tell.
#[derive(Debug)]
pub(crate) struct Container {
    /// Its id in the list of all layouts.
    pub(crate) layout: &'static str,
    /// With its article.
    pub(crate) what: &'static str,
    /// What to do; `{file}` and `{stem}` stand for the name, whole and without its last ending.
    way_out: &'static str,
    /// How its name ends, in lower case.
    endings: &'static [&'static str],
    /// What its first bytes must be, where the ending is not its own.
    begins: Option<fn(&[u8]) -> bool>,
    /// Whether a folder that holds one is of this kind, whatever else lies there.
    pub(crate) is_whole_folder: bool,
}

/// Where nothing converts back: another file of the same model must be asked for.
const ASK: &str =
    "no program turns it back into weights; ask for the model that it was exported from, as safetensors or GGUF";

/// One of these, with what all of them have in common.
const fn one(
    layout: &'static str,
    what: &'static str,
    endings: &'static [&'static str],
    way_out: &'static str,
) -> Container {
    Container { layout, what, way_out, endings, begins: None, is_whole_folder: false }
}

/// In the order in which they are tried.
pub(crate) const CONTAINERS: &[Container] = &[
    Container {
        is_whole_folder: true,
        ..one(
            "torch-distributed",
            "a part of a distributed checkpoint of PyTorch",
            &[".distcp"],
            "join its parts with `python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER model.pt`, \
             and name `model.pt`; Megatron's own need its `tools/checkpoint/convert.py`",
        )
    },
    one("nemo", "an archive of NVIDIA NeMo", &[".nemo"], "unpack it with `tar -xf {file}`, and name the folder"),
    one(
        "tar",
        "a tar archive",
        &[".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.zst", ".tar.bz2"],
        "unpack it with `tar -xf {file}`, and name the folder",
    ),
    one(
        "split-piece",
        "a piece of a file that was cut with `split`",
        &[],
        "join the pieces with `cat {stem}* > {stem}`, and name that file",
    ),
    one(
        "paddle-pickle",
        "a pickle of NumPy arrays, as PaddlePaddle saves weights",
        &[".pdparams"],
        "PaddlePaddle's `paddle.load` reads it: save its arrays with `safetensors.numpy.save_file`, and name that file",
    ),
    Container {
        begins: Some(is_mindspore),
        ..one(
            "mindspore",
            "a checkpoint of MindSpore",
            &[".ckpt"],
            "convert it with `python -c \"import mindspore; mindspore.ckpt_to_safetensors('{file}', 'OUT')\"`, and name `OUT`",
        )
    },
    one("openvino", "a model of OpenVINO", &["openvino_model.xml", "openvino_language_model.xml"], ASK),
    Container { begins: Some(is_ctranslate2), ..one("ctranslate2", "a model of CTranslate2", &["model.bin"], ASK) },
    one("tensorrt", "an engine of TensorRT", &[".engine", ".plan"], ASK),
    one("coreml", "a model of Core ML", &[".mlmodel", ".mlpackage"], ASK),
    one("executorch", "a program of ExecuTorch", &[".pte"], ASK),
    one("ascend-om", "a model of Huawei's Ascend", &[".om"], ASK),
    one("rknn", "a model of Rockchip's RKNN", &[".rknn", ".rkllm"], ASK),
    one("mnn", "a model of Alibaba's MNN", &[".mnn"], ASK),
    one("tflite", "a model of TensorFlow Lite", &[".tflite", ".task", ".litertlm"], ASK),
    one("mlc", "a part of a model of MLC", &["ndarray-cache.json", "tensor-cache.json"], ASK),
    one(
        "flax",
        "a checkpoint of Flax",
        &[".msgpack"],
        "load it with `from_flax=True` in transformers and save it again, or ask for safetensors",
    ),
    one(
        "orbax",
        "a checkpoint of Orbax (JAX)",
        &["manifest.ocdbt"],
        "restore it with Orbax and save its arrays with `safetensors.flax.save_file`",
    ),
    one(
        "tensorflow",
        "a checkpoint of TensorFlow",
        &[".ckpt.index", ".ckpt.meta"],
        "load it with `from_tf=True` in transformers and save it again, or ask for safetensors",
    ),
];

impl Container {
    /// The kind of a file, from its name and its first bytes; bytes that were not read are none.
    pub(crate) fn of(name: &str, head: &[u8]) -> Option<&'static Self> {
        let lower = last_part(Path::new(name)).to_lowercase();
        let is_named = |it: &&&str| if it.starts_with('.') { lower.ends_with(**it) } else { lower == **it };
        let is = |it: &&Self| {
            let named =
                it.endings.iter().any(|end| is_named(&end)) || it.layout == "split-piece" && whole(&lower).is_some();
            named && it.begins.is_none_or(|begins| begins(head))
        };
        CONTAINERS.iter().find(is)
    }

    /// What to do with the file of a name.
    pub(crate) fn hint(&self, name: &str) -> String {
        let stem = whole(name).unwrap_or_else(|| name.rsplit_once('.').map_or(name, |it| it.0));
        self.way_out.replace("{file}", name).replace("{stem}", stem)
    }
}

/// What stands before the mark of a piece: `model.gguf` of `model.gguf-split-a` or `model.gguf.part1of2`.
fn whole(name: &str) -> Option<&str> {
    let marks = ["-split-", ".part-", ".part", ".split-"];
    marks.iter().find_map(|mark| {
        let (stem, rest) = name.rsplit_once(mark)?;
        let is_piece = !rest.is_empty() && rest.len() <= 8 && rest.bytes().all(|it| it.is_ascii_alphanumeric());
        let is_whole = [".gguf", ".safetensors", ".bin", ".ggml"].iter().any(|it| stem.to_lowercase().ends_with(it));
        (is_piece && is_whole).then_some(stem)
    })
}

/// The number of the format, and the name of what is stored, which ends in `Spec`.
fn is_ctranslate2(head: &[u8]) -> bool {
    let Some((version, rest)) = head.split_first_chunk::<4>() else { return false };
    let Some((length, rest)) = rest.split_first_chunk::<2>() else { return false };
    let name = rest.get(..usize::from(u16::from_le_bytes(*length))).unwrap_or_default();
    (1..=32).contains(&u32::from_le_bytes(*version)) && name.trim_ascii_end().ends_with(b"Spec\0")
}

/// A message of protobuf that begins with one of a name, as MindSpore writes its parameters.
fn is_mindspore(head: &[u8]) -> bool {
    let [0x0a, rest @ ..] = head else { return false };
    let inner = rest.iter().position(|it| it & 0x80 == 0).and_then(|at| rest.get(at.saturating_add(1)..));
    let Some([0x0a, length, name @ ..]) = inner else { return false };
    let name = name.get(..usize::from(*length).min(name.len())).unwrap_or_default();
    !name.is_empty() && name.iter().all(|it| it.is_ascii_graphic())
}

/// Whether bytes begin as a tar archive does: a name, and behind it sizes in octal digits.
pub(crate) fn is_tar(head: &[u8]) -> bool {
    let is_octal = |it: &u8| (b'0'..=b'7').contains(it) || matches!(it, b' ' | 0);
    let fields = head.get(100..124);
    let has_name = head.first().is_some_and(|it| *it > b' ');
    has_name && fields.is_some_and(|it| it.iter().all(is_octal) && it.iter().any(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, head: &[u8], expected: Option<&str>) {
        assert_eq!(Container::of(name, head).map(|it| it.layout), expected, "{name}");
    }

    #[test]
    fn files_are_known_by_their_names_and_where_those_are_common_by_their_bytes() {
        check("__0_0.distcp", b"PK\x03\x04", Some("torch-distributed"));
        check("天工-7B.nemo", b"", Some("nemo"));
        check("own-model-v1.tar.gz", b"\x1f\x8b", Some("tar"));
        check("a.Q6_K.gguf-split-a", b"GGUF", Some("split-piece"));
        check("a.gguf.part1of2", b"GGUF", Some("split-piece"));
        check("model-00001-of-00002.gguf", b"GGUF", None);
        check("pangu.ckpt", b"\x0a\x30\x0a\x14backbone.embed.table\x12", Some("mindspore"));
        check("ckpt.ckpt", b"PK\x03\x04", None);
        check("model.bin", b"\x06\0\0\0\x10\0TransformerSpec\0", Some("ctranslate2"));
        check("model.bin", b"\x80\x02}", None);
        check("openvino_model.xml", b"<?xml", Some("openvino"));
        check("model.safetensors", b"", None);
    }

    #[test]
    fn the_way_out_names_the_file() {
        let hint = |name: &str| Container::of(name, b"").unwrap().hint(name);
        assert_eq!(hint("a.gguf-split-a"), "join the pieces with `cat a.gguf* > a.gguf`, and name that file");
        assert_eq!(hint("b.nemo"), "unpack it with `tar -xf b.nemo`, and name the folder");
    }

    #[test]
    fn archives_are_known_by_the_digits_behind_their_first_name() {
        let mut head = vec![0; 128];
        head[..9].copy_from_slice(b"./a.ckpt\0");
        head[100..124].copy_from_slice(b"0000644\x000001750\x000001750\0");
        assert!(is_tar(&head));
        head[110] = b'x';
        assert!(!is_tar(&head) && !is_tar(b"short") && !is_tar(&[0; 128]));
    }
}
