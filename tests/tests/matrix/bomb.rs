//! A compressed body that is small on the wire and large once it is inflated.

/// How much it inflates to, in bytes, nearly.
const INFLATED: usize = 16 << 20;

/// A gzip stream of spaces: one literal, then copies of 258 bytes, which take 13 bits each.
pub fn gzip() -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut bits = Bits::default();
    // The last block, with the fixed codes.
    bits.low_first(0b1, 1);
    bits.low_first(0b01, 2);
    // A space: literals below 144 are their value and 48, in 8 bits.
    bits.high_first(0x30 + u16::from(b' '), 8);
    for _ in 0..INFLATED / 258 {
        // Length 258 is symbol 285, the 198th of those with 8 bits; distance 1 is symbol 0, in 5 bits.
        bits.high_first(0b1100_0101, 8);
        bits.high_first(0, 5);
    }
    bits.high_first(0, 7);
    bytes.extend(bits.bytes);
    // Checksum and length are read last, by whoever has inflated all of it.
    bytes.extend([0; 8]);
    bytes
}

/// Bits in the order of deflate: each byte is filled from its lowest bit.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    filled: u8,
}

impl Bits {
    fn push(&mut self, bit: bool) {
        if self.filled == 0 {
            self.bytes.push(0);
        }
        *self.bytes.last_mut().unwrap() |= u8::from(bit) << self.filled;
        self.filled = (self.filled + 1) % 8;
    }

    fn low_first(&mut self, value: u16, bits: u8) {
        (0..bits).for_each(|at| self.push(value >> at & 1 == 1));
    }

    fn high_first(&mut self, value: u16, bits: u8) {
        (0..bits).rev().for_each(|at| self.push(value >> at & 1 == 1));
    }
}
