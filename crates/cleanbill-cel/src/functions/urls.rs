//! Kubernetes' functions on URLs.

use std::sync::Arc;

use super::signature::Ty::{Bool, List, Map, String, Url as UrlType};
use super::signature::{Function, Style};
use crate::fault::Fault;
use crate::things::Url;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("isURL", Style::Global, &[String], Bool, |a| {
        Ok(Value::Bool(Url::parse(a.text(0)?).is_some()))
    }),
    Function::new("url", Style::Global, &[String], UrlType, |a| {
        let text = a.text(0)?;
        let url = Url::parse(text).ok_or_else(|| Fault::unreadable("a URL", text))?;
        Ok(Value::Url(Arc::new(url)))
    }),
    Function::new("getScheme", Style::Method, &[UrlType], String, |a| {
        Ok(Value::text(a.url(0)?.scheme()))
    }),
    Function::new("getHost", Style::Method, &[UrlType], String, |a| {
        Ok(Value::text(a.url(0)?.host()))
    }),
    Function::new("getHostname", Style::Method, &[UrlType], String, |a| {
        Ok(Value::text(a.url(0)?.hostname()))
    }),
    Function::new("getPort", Style::Method, &[UrlType], String, |a| {
        Ok(Value::text(a.url(0)?.port()))
    }),
    Function::new("getEscapedPath", Style::Method, &[UrlType], String, |a| {
        let path = a.url(0)?.escaped_path();
        a.give(path)
    }),
    Function::new("getQuery", Style::Method, &[UrlType], Map(&String, &List(&String)), |a| {
        let url = a.url(0)?;
        a.meter.bytes(url.as_str().len())?;
        match url.query() {
            Some(map) => Ok(Value::Map(Arc::new(map))),
            None => Err(Fault::unreadable("a URL whose query can be read", url.as_str())),
        }
    }),
];
