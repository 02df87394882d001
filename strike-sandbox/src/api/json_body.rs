//! Reads the JSON body of a new charge.
//!
//! The service used json4s. The accepted types and the error messages are the same here.

use serde_json::{Map, Number, Value};

use super::new_charge::Fields;
use crate::response::ErrorResponse;

/// Reads a body. The description is optional unless `description_required` is set.
pub(crate) fn read(body: &[u8], description_required: bool) -> Result<Fields, ErrorResponse> {
    let fields = match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return Err(ErrorResponse::bad_request("the body must be a JSON object")),
        Err(error) => {
            return Err(ErrorResponse::bad_request(format!("The request content was malformed:\n{error}")));
        }
    };
    let required = |name| text(&fields, name)?.ok_or_else(|| missing(&fields, name, "java.lang.String"));
    Ok(Fields {
        amount: long(&fields, "amount")?.ok_or_else(|| missing(&fields, "amount", "long"))?,
        currency: required("currency")?,
        description: match description_required {
            true => Some(required("description")?),
            false => text(&fields, "description")?,
        },
        customer_id: text(&fields, "customer_id")?,
        expiry_sec: long(&fields, "expiry_sec")?,
    })
}

fn missing(fields: &Map<String, Value>, name: &str, class: &str) -> ErrorResponse {
    if fields.contains_key(name) && class == "long" {
        ErrorResponse::no_usable_value(name, "Null invalid value for a sub-type of AnyVal")
    } else {
        ErrorResponse::no_usable_value(
            name,
            format!("Did not find value which can be converted into {class}"),
        )
    }
}

/// Reads an integer, also in the form `1000000.0`. Returns `None` if the field is absent or null.
fn long(fields: &Map<String, Value>, name: &str) -> Result<Option<i64>, ErrorResponse> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            value.as_number().and_then(to_integer).map(Some).ok_or_else(|| wrong_type(name, value, "long"))
        }
    }
}

/// Converts a whole number. Values that do not fit into 64 bits saturate and exceed every limit.
fn to_integer(number: &Number) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "the value has no fraction, and the cast saturates")]
    let from_float = |float: f64| (float.fract() == 0.0).then_some(float as i64);
    number
        .as_i64()
        .or_else(|| number.as_u64().map(|_| i64::MAX))
        .or_else(|| number.as_f64().and_then(from_float))
}

fn text(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, ErrorResponse> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(value) => Err(wrong_type(name, value, "class java.lang.String")),
    }
}

fn wrong_type(name: &str, value: &Value, class: &str) -> ErrorResponse {
    ErrorResponse::no_usable_value(
        name,
        format!("Do not know how to convert {} into {class}", as_json4s(value)),
    )
}

/// Formats a value as json4s prints it.
fn as_json4s(value: &Value) -> String {
    let join = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Null => "JNull".to_owned(),
        Value::Bool(flag) => format!("JBool({flag})"),
        Value::Number(number) if number.is_f64() => format!("JDouble({number})"),
        Value::Number(number) => format!("JInt({number})"),
        Value::String(text) => format!("JString({text})"),
        Value::Array(values) => format!("JArray(List({}))", join(values.iter().map(as_json4s).collect())),
        Value::Object(fields) => {
            let pair = |(key, value): (&String, &Value)| format!("({key},{})", as_json4s(value));
            format!("JObject(List({}))", join(fields.iter().map(pair).collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &[u8]) -> Result<Fields, ErrorResponse> {
        super::read(body, false)
    }

    fn error_message(body: &str) -> String {
        let json = read(body.as_bytes()).expect_err("an invalid body").to_json();
        serde_json::from_str::<Value>(&json).expect("JSON")["message"].as_str().expect("text").to_owned()
    }

    #[test]
    fn first_bad_field_is_reported_with_the_json4s_message() {
        let unconvertible = "No usable value for amount\nDo not know how to convert";
        assert_eq!(
            error_message(r#"{"amount":"blah","currency":5}"#),
            format!("{unconvertible} JString(blah) into long")
        );
        assert_eq!(
            error_message(r#"{"amount":null,"currency":"btc"}"#),
            "No usable value for amount\nNull invalid value for a sub-type of AnyVal"
        );
        assert_eq!(error_message(r#"{"amount":1.5}"#), format!("{unconvertible} JDouble(1.5) into long"));
        assert_eq!(
            error_message(r#"{"amount":[true,{"a":null}]}"#),
            format!("{unconvertible} JArray(List(JBool(true), JObject(List((a,JNull))))) into long")
        );
        assert!(error_message("{}").starts_with("No usable value for amount\nDid not find"));
        assert!(error_message(r#"{"amount":1}"#).starts_with("No usable value for currency\nDid not find"));
        assert!(
            error_message(r#"{"amount":1,"currency":5}"#).contains("JInt(5) into class java.lang.String")
        );
        assert!(
            error_message(r#"{"amount":1,"currency":"btc","description":5}"#).contains("for description")
        );
        assert!(
            error_message(r#"{"amount":1,"currency":"btc","customer_id":5}"#).contains("for customer_id")
        );
        assert!(
            error_message(r#"{"amount":1,"currency":"btc","expiry_sec":"5"}"#).contains("for expiry_sec")
        );
    }

    #[test]
    fn whole_floats_are_integers_and_huge_numbers_saturate() {
        let amount = |number: &str| {
            read(format!(r#"{{"amount":{number},"currency":"btc"}}"#).as_bytes()).map(|fields| fields.amount)
        };
        assert_eq!(amount("1000000.0"), Ok(1_000_000));
        assert_eq!(amount("1e3"), Ok(1_000));
        assert_eq!(amount("-0.0"), Ok(0));
        assert_eq!(amount("18446744073709551615"), Ok(i64::MAX));
        assert_eq!(amount("1e300"), Ok(i64::MAX));
        assert_eq!(amount("-1e300"), Ok(i64::MIN));
    }

    #[test]
    fn null_options_are_absent_and_unknown_keys_are_ignored() {
        let fields = read(
            br#"{"amount":1,"currency":"btc","description":null,"customer_id":null,"expiry_sec":null,"x":[1]}"#,
        )
        .expect("a valid body");
        assert_eq!((fields.description, fields.customer_id, fields.expiry_sec), (None, None, None));
    }
}
