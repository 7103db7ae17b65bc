//! Where the elements of a tensor lie that do not lie one behind the other in the order of its shape.

/// How the elements of a tensor are found among the stored ones: a transposed matrix, a view with gaps, rows in another
/// order. Sizes and strides of dimensions, slowest first; a dimension of the shape may be cut into several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub(crate) steps: Vec<Step>,
}

/// One dimension of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// How many there are.
    pub(crate) size: u64,
    /// How far apart they are stored, in elements.
    pub(crate) stride: u64,
}

impl View {
    /// A view of these sizes and strides.
    pub(crate) fn strided(shape: &[u64], strides: &[u64]) -> Self {
        let steps = shape.iter().zip(strides).map(|(size, stride)| Step { size: *size, stride: *stride });
        Self { steps: steps.collect() }
    }

    /// Of a matrix that is stored the other way round; `shape` is the wanted one.
    pub(crate) fn transposed(shape: [u64; 2]) -> Self {
        Self::strided(&shape, &[1, shape[0]])
    }

    /// Undoes what llama.cpp's converter does to the rows of a query or key projection: the two halves of each head,
    /// which rotate together, are woven into each other. None where the heads do not divide the rows.
    pub(crate) fn unwoven(shape: &[u64], heads: u64) -> Option<Self> {
        let (rows, front) = shape.split_first()?;
        let row = front.iter().try_fold(1_u64, |product, size| product.checked_mul(*size))?;
        let head = rows.checked_div(heads).filter(|it| it.checked_mul(heads) == Some(*rows))?;
        let half = (head > 0 && head.is_multiple_of(2)).then_some(head / 2)?;
        let steps = [(heads, head.checked_mul(row)?), (2, row), (half, row.checked_mul(2)?), (row, 1)];
        Some(Self { steps: steps.map(|(size, stride)| Step { size, stride }).to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_must_divide_the_rows_into_two_halves() {
        assert_eq!(View::unwoven(&[8, 5], 2).unwrap().steps.len(), 4);
        assert_eq!(View::unwoven(&[8, 5], 3), None);
        assert_eq!(View::unwoven(&[8, 5], 8), None);
        assert_eq!(View::unwoven(&[8, 5], 0), None);
    }
}
