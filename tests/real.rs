//! The numbers of real models, which `tests/real.sh` fetches and hands over in `UNSHELL_REAL`. Not part of `cargo
//! test`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use unshell::catalog::Catalog;
use unshell::checkpoint::{Data, Values};
use unshell::fact::FormRelation;
use unshell::lineage::{Model, compare};
use unshell::remote::Reach;

/// Where the models are.
fn place(name: &str) -> PathBuf {
    let folder = std::env::var_os("UNSHELL_REAL").expect("tests/real.sh runs this, and says in UNSHELL_REAL where");
    PathBuf::from(folder).join(name)
}

fn all(data: &Data, values: &Values) -> Vec<f32> {
    data.read(values, 0..values.elements()).unwrap_or_else(|error| panic!("{error}"))
}

/// Eight bits, one scale a row: no number is farther from its original than half a step.
#[test]
fn minilm_in_eight_bits_is_minilm() {
    let float = Data::open(&place("minilm")).unwrap();
    let eight = Data::open(&place("minilm-int8")).unwrap();
    let (mut exact, mut rounded) = (0, 0);
    for found in eight.values().iter().filter(|it| it.name.starts_with("inner.") && !it.name.ends_with("position_ids"))
    {
        let expected = float.find(found.name.strip_prefix("inner.").unwrap()).unwrap();
        assert_eq!(found.shape, expected.shape, "{}", found.name);
        let (numbers, originals) = (all(&eight, found), all(&float, expected));
        if numbers == originals {
            exact += 1;
            continue;
        }
        rounded += 1;
        let columns = usize::try_from(found.shape[1]).unwrap();
        for (row, (numbers, originals)) in numbers.chunks(columns).zip(originals.chunks(columns)).enumerate() {
            let step = originals.iter().fold(0.0_f32, |most, it| most.max(it.abs())) / 127.0;
            let apart = numbers.iter().zip(originals).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
            assert!(apart <= 0.501 * step, "{} row {row}: {apart} apart, and a step is {step}", found.name);
        }
    }
    // Word and position tables and six matrices a layer in eight bits; gains, biases and the table of segments as they
    // were.
    assert_eq!((rounded, exact), (2 + 6 * 6, 3 + 6 * 10));
}

#[test]
fn minilm_in_eight_bits_has_the_form_of_minilm() {
    let open = |name: &str| {
        Model::open(place(name).to_str().unwrap(), Path::new(""), Catalog::builtin(), &Reach::local()).unwrap()
    };
    let form = compare(&open("minilm-int8"), &open("minilm"), Catalog::builtin()).form;
    assert_eq!((form.relation, form.same_dimensions), (FormRelation::SameFamily, true), "{:#?}", form.differences);
    let lone: Vec<&str> = form.differences.iter().filter(|it| it.kind != "dtype").map(|it| it.item.as_str()).collect();
    assert_eq!(lone, ["pooler.dense.bias", "pooler.dense.weight"]);
}

/// What a few lines of Python make of the same blocks: `name start` and numbers, one range a line.
#[test]
fn smollm2_in_four_bits_is_read_as_its_format_says() {
    let data = Data::open(&place("smollm2")).unwrap();
    let text = fs::read_to_string(place("smollm2.expected")).unwrap();
    let mut count = 0;
    for line in text.lines() {
        let mut words = line.split(' ');
        let (name, start) = (words.next().unwrap(), words.next().unwrap().parse::<u64>().unwrap());
        let expected: Vec<u32> = words.map(|it| u32::from_str_radix(it, 16).unwrap()).collect();
        let values = data.find(name).unwrap_or_else(|| panic!("{name} is not there"));
        let found = data.read(values, start..start + expected.len() as u64).unwrap();
        assert_eq!(found.iter().map(|it| it.to_bits()).collect::<Vec<_>>(), expected, "{name} from {start}");
        count += expected.len();
    }
    assert!(count > 10_000, "only {count} numbers were compared");
}
