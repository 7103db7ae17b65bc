//! Walks over the fields of a protobuf message. Reference: the wire format in the documentation of Protocol Buffers.

use crate::bytes::Cursor;

/// One field: its number and what it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Field<'a> {
    pub(crate) number: u64,
    pub(crate) value: Wire<'a>,
}

/// What a field holds, as far as the wire tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wire<'a> {
    Number(u64),
    Four([u8; 4]),
    Eight([u8; 8]),
    /// A text, bytes, or a message.
    Bytes(&'a [u8]),
}

impl<'a> Wire<'a> {
    pub(crate) fn number(self) -> Option<u64> {
        if let Self::Number(it) = self { Some(it) } else { None }
    }

    pub(crate) fn float(self) -> Option<f32> {
        if let Self::Four(it) = self { Some(f32::from_le_bytes(it)) } else { None }
    }

    pub(crate) fn bytes(self) -> Option<&'a [u8]> {
        if let Self::Bytes(it) = self { Some(it) } else { None }
    }
}

/// The fields of a message in the order they are written; the first broken one is an error and the last item.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    rest: Cursor<'a>,
    is_broken: bool,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(message: &'a [u8]) -> Self {
        Self { rest: Cursor::new(message), is_broken: false }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_broken || self.rest.rest().is_empty() {
            return None;
        }
        let left = self.rest.rest().len();
        let field = field(&mut self.rest);
        self.is_broken = field.is_none();
        Some(field.ok_or_else(|| {
            format!("a protobuf field is cut off or broken, {left} bytes before the end of its message")
        }))
    }
}

fn field<'a>(cursor: &mut Cursor<'a>) -> Option<Field<'a>> {
    let tag = varint(cursor)?;
    let number = tag >> 3;
    let value = match tag & 7 {
        0 => Wire::Number(varint(cursor)?),
        1 => Wire::Eight(cursor.take(8)?.try_into().ok()?),
        2 => {
            let length = usize::try_from(varint(cursor)?).ok()?;
            Wire::Bytes(cursor.take(length)?)
        }
        5 => Wire::Four(cursor.take(4)?.try_into().ok()?),
        _ => return None,
    };
    (number > 0).then_some(Field { number, value })
}

/// Seven bits a byte, lowest first; at most ten bytes, and no more than 64 bits.
pub(crate) fn varint(cursor: &mut Cursor<'_>) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..70).step_by(7) {
        let byte = cursor.u8()?;
        let bits = u64::from(byte & 0x7f);
        let placed = bits.checked_shl(shift)?;
        if placed >> shift != bits {
            return None;
        }
        number |= placed;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &[Option<Field<'_>>]) {
        let fields: Vec<_> = Fields::of(bytes).map(Result::ok).collect();
        assert_eq!(fields, expected);
    }

    #[test]
    fn every_kind_of_field_is_read() {
        let is = |number, value| Some(Field { number, value });
        check(&[0x08, 0x96, 0x01], &[is(1, Wire::Number(150))]);
        check(
            &[0x12, 2, b'h', b'i', 0x1d, 0, 0, 0x80, 0x3f],
            &[is(2, Wire::Bytes(b"hi")), is(3, Wire::Four([0, 0, 0x80, 0x3f]))],
        );
        check(&[0x09, 1, 2, 3, 4, 5, 6, 7, 8], &[is(1, Wire::Eight([1, 2, 3, 4, 5, 6, 7, 8]))]);
        let minus_one = [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        check(&minus_one, &[is(1, Wire::Number(u64::MAX))]);
    }

    #[test]
    fn broken_fields_end_the_walk() {
        check(&[0x12, 3, b'h'], &[None]);
        check(&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0], &[None]);
        check(&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x08, 0], &[None]);
        check(&[0x08; 1], &[None]);
        check(&[0x0b], &[None]);
        check(&[0x00, 0x00], &[None]);
        check(&[0x80; 40], &[None]);
    }
}
