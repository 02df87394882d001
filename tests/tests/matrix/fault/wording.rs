//! How each backend writes the fields that the faults edit, and its errors.

use strike_tests::{Dialect, secrets};

use crate::service::Service;

/// The texts of one backend.
pub struct Wording {
    dialect: Dialect,
    /// The fields with the amount, up to the value. A body has one of them.
    amounts: &'static [&'static str],
    /// The amount of the order, and another one.
    values: [&'static str; 2],
    /// The field that says that a charge is unpaid, and that it is paid, with the same length.
    paid: [&'static str; 2],
}

const STRIKE: Wording = Wording {
    dialect: Dialect::Strike,
    amounts: &["\"amount\" : "],
    values: ["4200", "4201"],
    paid: ["\"paid\" : false", "\"paid\" : true "],
};

const PHOENIXD: Wording = Wording {
    dialect: Dialect::Phoenixd,
    amounts: &["\"requestedSat\": ", "\"amountSat\": "],
    values: ["4200", "4201"],
    paid: ["\"isPaid\": false", "\"isPaid\": true "],
};

const LNBITS: Wording = Wording {
    dialect: Dialect::Lnbits,
    amounts: &["\"amount\":"],
    values: ["4200000", "4201000"],
    paid: ["\"status\":\"pending\"", "\"status\":\"success\""],
};

impl Wording {
    /// The texts of the backend that a service speaks.
    pub fn of(service: &Service) -> Self {
        match service.backend.dialect {
            Dialect::Strike => STRIKE,
            Dialect::Phoenixd => PHOENIXD,
            Dialect::Lnbits => LNBITS,
        }
    }

    /// Reports the charges of a body as paid.
    pub fn paid(&self, body: &[u8]) -> Vec<u8> {
        let text = std::str::from_utf8(body).unwrap();
        text.replace(self.paid[0], self.paid[1]).into_bytes()
    }

    /// Writes a field of the first charge twice.
    pub fn duplicate_key(&self, body: &[u8]) -> Vec<u8> {
        if self.dialect == Dialect::Strike {
            return edited(body, "\"paid\" :", "\"paid\" : true, \"paid\" :");
        }
        let field = self.amount_field(body);
        edited(body, &field, &format!("{field}, {field}"))
    }

    /// Replaces the amount of the first charge.
    pub fn amount(&self, body: &[u8], value: &str) -> Vec<u8> {
        let field = self.amount_field(body);
        let name = field.strip_suffix(self.values[0]).unwrap();
        edited(body, &field, &format!("{name}{value}"))
    }

    /// Replaces the amount of the first charge by another.
    pub fn other_amount(&self, body: &[u8]) -> Vec<u8> {
        self.amount(body, self.values[1])
    }

    fn amount_field(&self, body: &[u8]) -> String {
        let fields = self.amounts.iter().map(|name| format!("{name}{}", self.values[0]));
        let found = fields.clone().find(|field| String::from_utf8_lossy(body).contains(field));
        found.or_else(|| fields.clone().next()).unwrap()
    }

    /// An error body as the backend sends it, with the key in the message.
    pub fn error(&self, code: u16) -> Vec<u8> {
        let key = secrets::KEY;
        let text = match self.dialect {
            Dialect::Strike => format!("{{ \"code\" : {code}, \"message\" : \"no, {key}\" }}"),
            // The text of a 404 decides what it means.
            Dialect::Phoenixd if code == 404 => "Not found".to_owned(),
            Dialect::Phoenixd => format!("no, {key}"),
            Dialect::Lnbits if code == 404 => "{\"detail\":\"Payment does not exist.\"}".to_owned(),
            Dialect::Lnbits if code == 429 => format!("{{\"error\":\"no, {key}\"}}"),
            Dialect::Lnbits => format!("{{\"detail\":\"no, {key}\"}}"),
        };
        text.into_bytes()
    }
}

/// Replaces the first occurrence of a text. An empty list does not contain it.
fn edited(body: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(body).unwrap();
    let is_empty_list = !text.contains('"') || text.starts_with("{\"data\":[]");
    assert!(text.contains(from) || is_empty_list, "{from} is not in {text}");
    text.replacen(from, to, 1).into_bytes()
}
