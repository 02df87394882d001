//! The shape of invoices: phoenixd's tags in its order, signed by the node.

use lightning_invoice::{
    Bolt11Invoice, Bolt11InvoiceDescriptionRef, RawTaggedField, RoutingFees, SignedRawBolt11Invoice,
    TaggedField,
};
use strike_core::{Invoice, InvoiceDescription};

use super::{builder, create, sandbox};
use crate::support;

fn serialized(form: &str) -> String {
    create(&sandbox(), form)["serialized"].as_str().expect("an invoice").to_owned()
}

/// Returns the tags of an invoice, one character each.
fn tags(invoice: &str) -> String {
    let raw: SignedRawBolt11Invoice = invoice.parse().expect("an invoice");
    let tag = |field: &RawTaggedField| match field {
        RawTaggedField::KnownSemantics(TaggedField::PaymentHash(_)) => 'p',
        RawTaggedField::KnownSemantics(TaggedField::MinFinalCltvExpiryDelta(_)) => 'c',
        RawTaggedField::KnownSemantics(TaggedField::PaymentSecret(_)) => 's',
        RawTaggedField::KnownSemantics(TaggedField::Features(_)) => '9',
        RawTaggedField::KnownSemantics(TaggedField::Description(_)) => 'd',
        RawTaggedField::KnownSemantics(TaggedField::DescriptionHash(_)) => 'h',
        RawTaggedField::KnownSemantics(TaggedField::PaymentMetadata(_)) => 'm',
        RawTaggedField::KnownSemantics(TaggedField::ExpiryTime(_)) => 'x',
        RawTaggedField::KnownSemantics(TaggedField::PrivateRoute(_)) => 'r',
        _ => '?',
    };
    raw.raw_invoice().data.tagged_fields.iter().map(tag).collect()
}

#[test]
fn phoenixd_invoices_have_its_tags_in_its_order() {
    let sandbox = sandbox();
    let text = serialized("amountSat=4200&description=tea&expirySeconds=600");
    assert_eq!(tags(&text), "pcs9dmxr");
    let hash = "ab".repeat(32);
    let hashed = serialized(&format!("amountSat=1&descriptionHash={hash}"));
    assert_eq!(tags(&hashed), "pcs9hmxr");

    let invoice: Bolt11Invoice = text.parse().expect("a valid invoice");
    assert!(text.starts_with("lntb42u1"));
    assert_eq!(invoice.get_payee_pub_key().to_string(), sandbox.payee());
    assert_eq!(invoice.min_final_cltv_expiry_delta(), 144);
    assert_eq!(invoice.payment_metadata(), Some(&vec![0x2a]));
    assert_eq!(invoice.expiry_time().as_secs(), 600);
    let hints = invoice.route_hints();
    let [hint] = hints.as_slice() else { panic!("one route hint") };
    let [hop] = hint.0.as_slice() else { panic!("one hop") };
    assert_eq!(hop.fees, RoutingFees { base_msat: 1000, proportional_millionths: 100 });
    assert_eq!(hop.cltv_expiry_delta, 144);
    assert_ne!(hop.src_node_id, invoice.get_payee_pub_key());

    let invoice: Bolt11Invoice = hashed.parse().expect("a valid invoice");
    let Bolt11InvoiceDescriptionRef::Hash(found) = invoice.description() else { panic!("a hash") };
    assert_eq!(found.0.to_string(), hash);
    assert_eq!(invoice.expiry_time().as_secs(), 86_400);
}

#[test]
fn phoenixd_invoices_do_not_depend_on_the_quirks_of_the_service() {
    let quirks = strike_sandbox::Quirks::new().invoices_of_2018();
    let sandbox = builder().quirks(quirks).build();
    let invoice = create(&sandbox, "amountSat=1&description=")["serialized"].as_str().map(tags);
    assert_eq!(invoice.as_deref(), Some("pcs9dmxr"));
}

#[test]
fn phoenixd_invoice_passes_the_checks_of_a_client() {
    let sandbox = sandbox();
    create(&sandbox, "amountSat=4200&description=tea");
    let list = support::json(&support::get(&sandbox, "charges"));
    let text = list[0]["payment_request"].as_str().expect("an invoice");
    let invoice = Invoice::read(text).expect("a valid invoice");
    assert!(matches!(invoice.description(), InvoiceDescription::Text(text) if text == "tea"));
}

#[cfg(feature = "lightning")]
#[test]
fn phoenixd_invoice_is_paid_over_a_channel() {
    let sandbox = builder().settlement(strike_sandbox::Settlement::Lightning).build();
    let hash = super::payment_hash(&sandbox, "amountSat=4200&description=tea");
    super::pay(&sandbox, &hash);
    assert_eq!(super::payment(&sandbox, &hash)["isPaid"], true);
}
