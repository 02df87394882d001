//! The web page at `/`: its files, and the QR codes of charges. The page uses only the routes below `/sandbox/`.

use strike_core::http::{Method, StatusCode};
use strike_core::{HttpRequest, QrCode};

use crate::response::{Document, ErrorResponse};
use crate::service::Service;

/// Responds to a request for the page, for one of its files or for a QR code.
pub(crate) fn respond(
    service: &Service,
    path: &[&str],
    request: &HttpRequest,
) -> Result<Document, ErrorResponse> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(ErrorResponse::method_not_allowed(&["GET", "HEAD"]));
    }
    let (content_type, body) = match path {
        [] => ("text/html; charset=utf-8", include_str!("page/index.html").to_owned()),
        ["sandbox", "page", "style.css"] => {
            ("text/css; charset=utf-8", include_str!("page/style.css").to_owned())
        }
        ["sandbox", "page", "script.js"] => {
            ("text/javascript; charset=utf-8", include_str!("page/script.js").to_owned())
        }
        ["sandbox", "page", "icon.svg"] => ("image/svg+xml", include_str!("page/icon.svg").to_owned()),
        ["sandbox", "charges", id, format] => {
            let charge = service.charge(id).ok_or_else(ErrorResponse::not_found)?;
            let code = QrCode::unchecked(&charge.payment_request)
                .map_err(|error| ErrorResponse::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))?;
            match *format {
                "qr.svg" => ("image/svg+xml", code.to_svg("QR code of the payment request")),
                _ => ("text/plain; charset=utf-8", code.to_terminal()),
            }
        }
        _ => return Err(ErrorResponse::not_found()),
    };
    Ok(Document { content_type, body })
}
