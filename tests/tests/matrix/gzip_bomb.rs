//! A compressed body that is small on the wire and large after decompression.

/// Its decompressed size in bytes, approximately.
const DECOMPRESSED: usize = 16 << 20;

/// A gzip stream of spaces: one literal, then copies of 258 bytes, which take 13 bits each.
pub fn compressed_spaces() -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut bits = Bits::default();
    // The only block, with fixed Huffman codes.
    bits.low_first(0b1, 1);
    bits.low_first(0b01, 2);
    // A space. The code of a literal below 144 is its value plus 48, in 8 bits.
    bits.high_first(0x30 + u16::from(b' '), 8);
    for _ in 0..DECOMPRESSED / 258 {
        // Length 258 is symbol 285, the 198th code of 8 bits. Distance 1 is symbol 0, in 5 bits.
        bits.high_first(0b1100_0101, 8);
        bits.high_first(0, 5);
    }
    bits.high_first(0, 7);
    bytes.extend(bits.bytes);
    // Checksum and length are checked only after decompression, so they can be wrong.
    bytes.extend([0; 8]);
    bytes
}

/// A bit stream in deflate's order: each byte is filled from its lowest bit.
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
