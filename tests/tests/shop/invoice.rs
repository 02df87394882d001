//! Unsigned BOLT11 invoices. Core can parse and compare them, and they are faster to make than
//! signed ones.

const CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// Returns a testnet invoice with a signature of 104 zeros.
pub(crate) fn unsigned(satoshi: u64, description: &str, hash: &[u8; 32], secs: u64, expiry: u64) -> String {
    let prefix = format!("lntb{}n", satoshi * 10);
    let mut data = Vec::with_capacity(300);
    number(&mut data, secs, 7);
    field(&mut data, 1, &groups(hash));
    field(&mut data, 13, &groups(description.as_bytes()));
    let mut lifetime = Vec::new();
    number(&mut lifetime, expiry, 7);
    field(&mut data, 6, &lifetime);
    data.resize(data.len() + 104, 0);
    let checksum = checksum(&prefix, &data);
    let mut text = prefix;
    text.push('1');
    text.extend(data.iter().chain(&checksum).map(|group| char::from(CHARSET[usize::from(*group)])));
    text
}

fn number(to: &mut Vec<u8>, value: u64, groups: u32) {
    to.extend((0..groups).rev().map(|at| ((value >> (5 * at)) & 31) as u8));
}

fn field(to: &mut Vec<u8>, kind: u8, groups: &[u8]) {
    to.push(kind);
    number(to, groups.len() as u64, 2);
    to.extend_from_slice(groups);
}

/// Splits bytes into groups of five bits. The last group is padded with zeros.
fn groups(bytes: &[u8]) -> Vec<u8> {
    let (mut groups, mut held, mut bits) = (Vec::with_capacity(bytes.len() * 8 / 5 + 1), 0_u32, 0);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            groups.push(((held >> bits) & 31) as u8);
        }
        held &= 0xff;
    }
    if bits > 0 {
        groups.push(((held << (5 - bits)) & 31) as u8);
    }
    groups
}

fn checksum(prefix: &str, data: &[u8]) -> [u8; 6] {
    let high = prefix.bytes().map(|byte| byte >> 5);
    let low = prefix.bytes().map(|byte| byte & 31);
    let all = high.chain([0]).chain(low).chain(data.iter().copied()).chain([0; 6]);
    let sum = all.fold(1_u32, |sum, value| {
        let top = sum >> 25;
        let shifted = ((sum & 0x01ff_ffff) << 5) ^ u32::from(value);
        [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]
            .iter()
            .enumerate()
            .filter(|(at, _)| (top >> at) & 1 == 1)
            .fold(shifted, |sum, (_, step)| sum ^ step)
    }) ^ 1;
    core::array::from_fn(|at| ((sum >> (5 * (5 - at))) & 31) as u8)
}
