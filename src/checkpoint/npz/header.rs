//! The header of one array, e.g. `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.

/// What it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// `NumPy`'s name of the element type.
    pub(super) descr: String,
    /// Whether the first dimension is the fastest.
    pub(super) is_fortran: bool,
    /// As it is written, whatever the order.
    pub(super) shape: Vec<u64>,
}

impl Header {
    /// Reads the form that `NumPy` writes, its keys in any order; none where it is any other.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let mut rest = std::str::from_utf8(text).ok()?.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
        let (mut descr, mut is_fortran, mut shape) = (None, None, None);
        while !rest.is_empty() {
            let (key, behind) = quoted(rest)?;
            let value = behind.trim_start().strip_prefix(':')?.trim_start();
            let is_first = match key {
                "descr" => {
                    let (value, behind) = quoted(value)?;
                    rest = behind;
                    descr.replace(value.to_owned()).is_none()
                }
                "fortran_order" => {
                    let truth = value.strip_prefix("True").map(|behind| (true, behind));
                    let (value, behind) = truth.or_else(|| Some((false, value.strip_prefix("False")?)))?;
                    rest = behind;
                    is_fortran.replace(value).is_none()
                }
                "shape" => {
                    let (value, behind) = value.strip_prefix('(')?.split_once(')')?;
                    rest = behind;
                    shape.replace(sizes(value)?).is_none()
                }
                _ => return None,
            };
            rest = rest.trim_start();
            rest = if rest.is_empty() { rest } else { rest.strip_prefix(',')?.trim_start() };
            if !is_first {
                return None;
            }
        }
        Some(Self { descr: descr?, is_fortran: is_fortran?, shape: shape? })
    }
}

/// A text in quotes without escapes, and what is behind it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|it| ['\'', '"'].contains(it))?;
    let (inside, behind) = text.strip_prefix(quote)?.split_once(quote)?;
    (!inside.contains('\\')).then_some((inside, behind))
}

fn sizes(text: &str) -> Option<Vec<u64>> {
    let text = text.trim();
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.strip_suffix(',').unwrap_or(text).split(',').map(|it| it.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, bool, &[u64])>) {
        let expected = expected.map(|(descr, is_fortran, shape)| Header {
            descr: descr.into(),
            is_fortran,
            shape: shape.to_vec(),
        });
        assert_eq!(Header::read(text.as_bytes()), expected, "{text}");
    }

    #[test]
    fn headers_as_numpy_writes_them() {
        check("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }      \n", Some(("<f4", false, &[3, 4])));
        check("{'descr': '|u1', 'fortran_order': True, 'shape': (7,), }\n", Some(("|u1", true, &[7])));
        check("{'shape': (), 'fortran_order': False, 'descr': '<f8'}", Some(("<f8", false, &[])));
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "{}",
            "{'descr': '<f4', 'fortran_order': False}",
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': (3,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'shape': (4,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'x': __import__('os')}",
            "{'descr': '<f4' 'fortran_order': False, 'shape': (3,)}",
        ] {
            check(text, None);
        }
    }
}
