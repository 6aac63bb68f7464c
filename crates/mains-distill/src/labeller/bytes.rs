//! Little-endian numbers out of bytes that nobody vouches for, and into bytes.

use super::Damaged;

/// Reads forward; every read is checked against what is left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    left: &'a [u8],
    section: &'static str,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], section: &'static str) -> Self {
        Self { left: bytes, section }
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Damaged> {
        let (taken, left) = self.left.split_at_checked(count).ok_or(Damaged::Short(self.section))?;
        self.left = left;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| Damaged::Short(self.section))
    }

    pub(super) fn u8(&mut self) -> Result<u8, Damaged> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u32(&mut self) -> Result<u32, Damaged> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, Damaged> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A count that may be at most `most`.
    pub(super) fn count(&mut self, most: usize) -> Result<usize, Damaged> {
        let count = usize::try_from(self.u32()?).map_err(|_| self.wrong("a count"))?;
        if count > most { Err(self.wrong("a count")) } else { Ok(count) }
    }

    /// So many finite numbers between `least` and `most`.
    pub(super) fn floats(&mut self, count: usize, least: f32, most: f32) -> Result<Vec<f32>, Damaged> {
        let bytes = self.take(count.checked_mul(4).ok_or(Damaged::Short(self.section))?)?;
        let numbers: Vec<f32> =
            bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
        if numbers.iter().all(|number| (least..=most).contains(number)) {
            Ok(numbers)
        } else {
            Err(self.wrong("a number"))
        }
    }

    /// A text of at most so many bytes, its length before it.
    pub(super) fn text(&mut self, most: usize) -> Result<String, Damaged> {
        let length = self.count(most)?;
        let bytes = self.take(length)?.to_vec();
        String::from_utf8(bytes).map_err(|_| self.wrong("a text"))
    }

    /// Nothing may be left.
    pub(super) fn end(self) -> Result<(), Damaged> {
        if self.left.is_empty() { Ok(()) } else { Err(self.wrong("the length")) }
    }

    pub(super) fn wrong(&self, what: &'static str) -> Damaged {
        Damaged::Value { section: self.section, what }
    }
}

/// Appends a count. What a labeller holds is far below 2^32; more is cut there and refused by `parse`.
pub(super) fn put_count(into: &mut Vec<u8>, count: usize) {
    into.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

pub(super) fn put_floats(into: &mut Vec<u8>, numbers: impl IntoIterator<Item = f32>) {
    numbers.into_iter().for_each(|number| into.extend_from_slice(&number.to_le_bytes()));
}

pub(super) fn put_text(into: &mut Vec<u8>, text: &str) {
    put_count(into, text.len());
    into.extend_from_slice(text.as_bytes());
}
