//! Kubernetes' functions on IP addresses and their ranges.

use std::net::IpAddr;

use super::call::Arguments;
use super::signature::Ty::{Bool, Cidr as CidrType, Int, Ip, String};
use super::signature::{Function, Outcome, Style, Ty};
use crate::fault::Fault;
use crate::things::{Cidr, parse_ip};
use crate::value::Value;

const fn f(name: &'static str, takes: &'static [Ty], gives: Ty, run: Run) -> Function {
    Function::new(name, Style::Global, takes, gives, run)
}

const fn method(name: &'static str, takes: &'static [Ty], gives: Ty, run: Run) -> Function {
    Function::new(name, Style::Method, takes, gives, run)
}

type Run = fn(&mut Arguments<'_>) -> Outcome;

pub(super) const FUNCTIONS: &[Function] = &[
    f("isIP", &[String], Bool, |a| Ok(Value::Bool(parse_ip(a.text(0)?).is_some()))),
    f("ip", &[String], Ip, |a| ip_of(a, 0).map(Value::Ip)),
    f("ip.isCanonical", &[String], Bool, |a| {
        let ip = ip_of(a, 0)?;
        Ok(Value::Bool(ip.to_string() == **a.string(0)?))
    }),
    method("family", &[Ip], Int, |a| Ok(Value::Int(if a.ip(0)?.is_ipv4() { 4 } else { 6 }))),
    method("isUnspecified", &[Ip], Bool, |a| Ok(Value::Bool(a.ip(0)?.is_unspecified()))),
    method("isLoopback", &[Ip], Bool, |a| Ok(Value::Bool(a.ip(0)?.is_loopback()))),
    method("isLinkLocalMulticast", &[Ip], Bool, |a| {
        Ok(Value::Bool(is_link_local_multicast(*a.ip(0)?)))
    }),
    method("isLinkLocalUnicast", &[Ip], Bool, |a| {
        Ok(Value::Bool(is_link_local_unicast(*a.ip(0)?)))
    }),
    method("isGlobalUnicast", &[Ip], Bool, |a| Ok(Value::Bool(is_global_unicast(*a.ip(0)?)))),
    f("isCIDR", &[String], Bool, |a| Ok(Value::Bool(Cidr::parse(a.text(0)?).is_some()))),
    f("cidr", &[String], CidrType, |a| cidr_of(a, 0).map(Value::Cidr)),
    method("containsIP", &[CidrType, Ip], Bool, |a| {
        Ok(Value::Bool(a.cidr(0)?.contains_ip(*a.ip(1)?)))
    }),
    method("containsIP", &[CidrType, String], Bool, |a| {
        let ip = ip_of(a, 1)?;
        Ok(Value::Bool(a.cidr(0)?.contains_ip(ip)))
    }),
    method("containsCIDR", &[CidrType, CidrType], Bool, |a| {
        Ok(Value::Bool(a.cidr(0)?.contains_cidr(*a.cidr(1)?)))
    }),
    method("containsCIDR", &[CidrType, String], Bool, |a| {
        let other = cidr_of(a, 1)?;
        Ok(Value::Bool(a.cidr(0)?.contains_cidr(other)))
    }),
    method("ip", &[CidrType], Ip, |a| Ok(Value::Ip(a.cidr(0)?.ip()))),
    method("masked", &[CidrType], CidrType, |a| Ok(Value::Cidr(a.cidr(0)?.masked()))),
    method("prefixLength", &[CidrType], Int, |a| Ok(Value::Int(a.cidr(0)?.prefix().into()))),
];

fn ip_of(a: &mut Arguments<'_>, at: usize) -> Result<IpAddr, Fault> {
    let text = a.text(at)?;
    parse_ip(text).ok_or_else(|| Fault::unreadable("an IP address", text))
}

fn cidr_of(a: &mut Arguments<'_>, at: usize) -> Result<Cidr, Fault> {
    let text = a.text(at)?;
    Cidr::parse(text).ok_or_else(|| Fault::unreadable("a range such as 10.0.0.0/8", text))
}

/// 224.0.0.0/24, ff02::/16.
fn is_link_local_multicast(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => matches!(v4.octets(), [224, 0, 0, _]),
        IpAddr::V6(v6) => matches!(v6.octets(), [0xff, 0x02, ..]),
    }
}

/// 169.254.0.0/16, fe80::/10.
fn is_link_local_unicast(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

/// Any unicast address beyond the link, private ones included.
fn is_global_unicast(ip: IpAddr) -> bool {
    let broadcast = match ip {
        IpAddr::V4(v4) => v4.is_broadcast(),
        IpAddr::V6(_) => false,
    };
    !(broadcast
        || ip.is_unspecified()
        || ip.is_loopback()
        || ip.is_multicast()
        || is_link_local_unicast(ip))
}
