//! Head by head gives what whole matrices give.

use std::collections::BTreeMap;
use std::ops::Range;

use super::*;
use crate::linalg::matrix::cosine;
use crate::linalg::random::Random;
use crate::weights::model::basis::Stream;
use crate::weights::model::layer::Layer;
use crate::weights::model::projection::Slot;
use crate::weights::model::tensors::Numbers;
use crate::weights::model::view::Net;

const HIDDEN: usize = 24;
const DIM: usize = 4;

struct Memory(BTreeMap<String, Vec<f32>>);

impl Numbers for Memory {
    fn read(&self, name: &str, elements: Range<u64>) -> Result<Vec<f32>, Error> {
        Ok(self.0[name][elements.start as usize..elements.end as usize].to_vec())
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// Numbers of one layer, the output projection as it is stored.
fn drawn(heads: usize, groups: usize, seed: u64) -> Memory {
    let mut random = Random::new(seed);
    let mut numbers = |count: usize| (0..count).map(|_| random.normal()).collect::<Vec<f32>>();
    let sizes = [("query", heads), ("key", groups), ("value", groups), ("output", heads)];
    let mut all: BTreeMap<String, Vec<f32>> =
        sizes.iter().map(|(name, count)| ((*name).to_owned(), numbers(count * DIM * HIDDEN))).collect();
    all.insert("gain".to_owned(), numbers(HIDDEN));
    Memory(all)
}

/// The same numbers but for noise.
fn near(other: &Memory, seed: u64) -> Memory {
    let mut random = Random::new(seed);
    Memory(
        other
            .0
            .iter()
            .map(|(name, it)| (name.clone(), it.iter().map(|it| it + 0.3 * random.normal()).collect()))
            .collect(),
    )
}

fn net(numbers: &Memory, heads: usize, groups: usize) -> (Net<'_>, Layer) {
    let mut net = Net::empty(numbers, HIDDEN);
    (net.heads, net.kv_heads, net.head_dim) = (heads, groups, DIM);
    net.know_length("gain", HIDDEN as u64);
    let (hidden, rows) = (HIDDEN as u64, |it: usize| (it * DIM) as u64);
    let layer = Layer {
        query: Some(Slot::plain("query", (rows(heads), hidden), false)),
        key: Some(Slot::plain("key", (rows(groups), hidden), false)),
        value: Some(Slot::plain("value", (rows(groups), hidden), false)),
        output: Some(Slot::plain("output", (hidden, rows(heads)), false)),
        attention_norm: Some("gain".to_owned()),
        ..Layer::default()
    };
    (net, layer)
}

/// Whole matrices of a layer in the subject's coordinates: query, key, value, and output with a row for each dimension.
fn whole(numbers: &Memory, stream: &Stream) -> [Matrix; 4] {
    let matrix = |name: &str| {
        let data = numbers.0[name].clone();
        Matrix::new(data.len() / HIDDEN, HIDDEN, data)
    };
    let folded = |name: &str| {
        let mut it = matrix(name);
        it.scale_columns(&numbers.0["gain"]);
        stream.apply(it)
    };
    let data = numbers.0["output"].clone();
    let output = Matrix::new(HIDDEN, data.len() / HIDDEN, data).transposed();
    [folded("query"), folded("key"), folded("value"), stream.apply(output)]
}

/// The four parts of one head.
fn head(all: &[Matrix; 4], at: usize, each: usize) -> [Matrix; 4] {
    let rows = |it: &Matrix, at: usize| it.gather(&(at * DIM..(at + 1) * DIM).collect::<Vec<_>>());
    let [query, key, value, output] = all;
    [rows(query, at), rows(key, at / each), rows(value, at / each), rows(output, at)]
}

/// Inner product of `aᵀ b` and `cᵀ d`.
fn inner(a: &Matrix, b: &Matrix, c: &Matrix, d: &Matrix) -> f64 {
    let made = |one: &Matrix, other: &Matrix| one.transposed().times(other);
    made(a, b).data.iter().zip(&made(c, d).data).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// Everything that is said of the heads, from whole matrices and nothing shared.
fn plainly(ours: &[Matrix; 4], theirs: &[Matrix; 4], (heads, groups): (usize, usize), most: usize) -> Heads {
    let each = heads / groups;
    let mut said = Heads::default();
    for row in 0..groups * DIM {
        let at = |query: usize| (row / DIM * each + query) * DIM + row % DIM;
        let written: f64 = (0..each).map(|it| cosine(ours[3].row(at(it)), theirs[3].row(at(it)))).sum();
        said.signs.push(cosine(ours[2].row(row), theirs[2].row(row)) + written / each as f64);
    }
    let chosen = spread(heads, most);
    let mut scores = Matrix::new(chosen.len(), heads, Vec::new());
    for (row, number) in chosen.into_iter().enumerate() {
        let [q, k, v, o] = head(ours, number, each);
        let seen = |at: usize| {
            let [query, key, value, output] = head(theirs, at, each);
            let sums = |a: &Matrix, b: &Matrix, c: &Matrix, d: &Matrix| Sums {
                both: inner(a, b, c, d),
                subject: inner(a, b, a, b),
                reference: inner(c, d, c, d),
            };
            (sums(&q, &k, &query, &key), sums(&o, &v, &output, &value))
        };
        let all: Vec<(Sums, Sums)> = (0..heads).map(seen).collect();
        let best = (0..heads).max_by(|a, b| all[*a].0.cosine().total_cmp(&all[*b].0.cosine())).unwrap();
        said.matched.push((number, best));
        q.iter().zip(head(theirs, best, each)[0].iter()).for_each(|(a, b)| said.plain.rows(a, b, 1.0));
        let (looks, writes) = all[best];
        said.looks.add(looks.both, looks.subject, looks.reference);
        said.products.add(writes.both, writes.subject, writes.reference);
        all.iter().enumerate().for_each(|(at, it)| scores.data[row * heads + at] = it.1.cosine() as f32);
    }
    said.z = standing(&scores, &said.matched.iter().map(|it| it.1).collect::<Vec<_>>());
    said
}

fn assert_near(one: &Heads, other: &Heads) {
    let numbers = |it: &Heads| {
        let sums = [it.products, it.looks, it.plain].map(|it| [it.both, it.subject, it.reference]).concat();
        [it.signs.clone(), sums, vec![it.z]].concat()
    };
    assert_eq!(one.matched, other.matched);
    let (ours, theirs) = (numbers(one), numbers(other));
    assert_eq!(ours.len(), theirs.len());
    for (a, b) in ours.iter().zip(&theirs) {
        assert!((a - b).abs() <= 1e-4 * b.abs().max(1.0), "{a} {b}");
    }
}

fn streams() -> [Stream; 3] {
    let source =
        (0..HIDDEN).map(|it| (it != 5).then_some(((it * 7 + 3) % HIDDEN, if it % 3 == 0 { -1.0 } else { 1.0 })));
    let mut random = Random::new(77);
    let map = Matrix::new(HIDDEN, HIDDEN, (0..HIDDEN * HIDDEN).map(|_| random.normal()).collect());
    [Stream::Same, Stream::Signed { source: source.collect() }, Stream::Rotated(map.unit_rows())]
}

/// However few heads are read or held at once, with heads that share keys and values and without.
#[test]
fn head_by_head_gives_what_whole_matrices_give() {
    for (heads, groups, most) in [(6, 2, 9), (6, 2, 4), (4, 4, 3), (3, 1, 2)] {
        let ours = drawn(heads, groups, 1);
        for (stream, theirs) in streams().iter().zip([near(&ours, 2), drawn(heads, groups, 3), near(&ours, 4)]) {
            let ((subject, one), (reference, other)) = (net(&ours, heads, groups), net(&theirs, heads, groups));
            let expected = plainly(&whole(&ours, &Stream::Same), &whole(&theirs, stream), (heads, groups), most);
            let look = |at_once: Option<(usize, usize)>| {
                let mut ours = Attention::of(&subject, &one, &Stream::Same).unwrap().unwrap();
                let mut theirs = Attention::of(&reference, &other, stream).unwrap().unwrap();
                if let Some(at_once) = at_once {
                    (ours, theirs) = (ours.with(at_once), theirs.with(at_once));
                }
                compare(&ours, &theirs, most).unwrap()
            };
            let at_once = look(None);
            assert_near(&at_once, &expected);
            for limits in [(1, 1), (2, 3), (4, 2), (1, 9)] {
                assert_eq!(look(Some(limits)), at_once, "{limits:?}");
            }
        }
    }
}

/// Sizes of columns are those of the gain, whatever the order of the heads; another gain has others.
#[test]
fn columns_show_the_gain_and_no_order_of_heads() {
    let turned = |seed: u64| {
        let mut numbers = drawn(32, 16, seed);
        let heads = |it: &str| if it == "query" { 2 } else { 1 };
        let moved = numbers.0.iter_mut().filter(|it| !matches!(it.0.as_str(), "gain" | "output"));
        moved.for_each(|(name, it)| it.rotate_left(heads(name) * DIM * HIDDEN));
        numbers
    };
    // Four layers, since one of so few columns is not sure enough.
    let against = |subject: &dyn Fn(u64) -> Memory| {
        let mut all = ColumnSizes::default();
        for seed in 21..25 {
            let (ours, theirs) = (subject(seed), drawn(32, 16, seed));
            let [one, two] = [&ours, &theirs].map(|it| net(it, 32, 16));
            let one = Attention::of(&one.0, &one.1, &Stream::Same).unwrap().unwrap();
            let two = Attention::of(&two.0, &two.1, &Stream::Same).unwrap().unwrap();
            all.add(&columns(&one, &two).unwrap()[0]);
        }
        all.estimate().expect("columns differ")
    };
    let (moved, other) = (against(&turned), against(&|seed| drawn(32, 16, seed + 100)));
    assert!(moved.retained().is_some_and(|it| it > 0.9) && moved.agreement().is_some_and(|it| it > 0.6), "{moved:?}");
    assert!(other.agreement().is_none_or(|it| it < 0.3), "{other:?}");
}

/// Tail values of tables: one-sided 0.025, 0.001 and 0.0005.
#[test]
fn a_student_deviate_has_the_tail_of_a_normal_one() {
    for (t, degrees, normal) in [(2.228_14, 10.0, 1.959_96), (4.143_70, 10.0, 3.090_23), (4.436_98, 11.0, 3.290_53)] {
        let found = student(t, degrees);
        assert!((found - normal).abs() < 0.02, "{t} {degrees}: {found}, {normal}");
        assert!((found + student(-t, degrees)).abs() < 1e-12);
    }
}

/// Four heads a side, as few as there are: scores without any structure are beyond a level as often as the level says.
#[test]
fn few_heads_have_no_heavy_tail() {
    let mut random = Random::new(77);
    let draws = 200_000;
    let z: Vec<f64> = (0..draws)
        .map(|_| standing(&Matrix::new(4, 4, (0..16).map(|_| random.normal()).collect()), &[2, 0, 3, 1]))
        .collect();
    for (level, share) in [(1.281_55, 1e-1), (2.326_35, 1e-2), (3.090_23, 1e-3), (3.719_02, 1e-4)] {
        let above = z.iter().filter(|it| **it > level).count() as f64 / f64::from(draws);
        let error = (share / f64::from(draws)).sqrt();
        assert!(above <= share * 1.03 + 3.0 * error, "{level}: {above}, {share}");
    }
}
