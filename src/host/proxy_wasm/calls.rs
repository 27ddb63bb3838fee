//! Every call from the filter into Envoy (proxy-wasm ABI 0.2.1).
//!
//! The SDK's own wrappers panic on a status that they do not expect, and a panic loses the VM. These
//! turn every status into a value. What Envoy hands over is taken as it is, without a copy.

use super::abi::*;
use crate::policy::shared_store::HostStatus;
use ::proxy_wasm::hostcalls::dispatch_http_call;
use ::proxy_wasm::types::{BufferType, MapType, MetricType, Status};
use std::ptr::{null, null_mut};
use std::time::Duration;

const OK: u32 = Status::Ok as u32;
const NOT_FOUND: HostStatus = HostStatus(Status::NotFound as u32);

/// Nanoseconds by a clock that never steps. It is WASI's, which Envoy offers beside the ABI.
pub fn steady_ns() -> Result<u64, HostStatus> {
    const MONOTONIC: u32 = 1;
    let mut time = 0;
    // SAFETY: Envoy writes the eight bytes of `time`.
    done(unsafe { clock_time_get(MONOTONIC, 0, &mut time) })?;
    Ok(time)
}

/// Nanoseconds since 1970.
pub fn wall_ns() -> u64 {
    let mut time = 0;
    // SAFETY: Envoy writes the eight bytes of `time`.
    let _ = unsafe { proxy_get_current_time_nanoseconds(&mut time) };
    time
}

/// The plugin's configuration as it was pushed.
pub fn plugin_configuration() -> Result<Vec<u8>, HostStatus> {
    let kind = BufferType::PluginConfiguration as u32;
    // SAFETY: Envoy writes both pointers.
    take(|data, size| unsafe { proxy_get_buffer_bytes(kind, 0, usize::MAX, data, size) })
}

/// The body of the request, as far as it is buffered.
pub fn request_body() -> Result<Vec<u8>, HostStatus> {
    let kind = BufferType::HttpRequestBody as u32;
    // SAFETY: Envoy writes both pointers.
    match take(|data, size| unsafe { proxy_get_buffer_bytes(kind, 0, usize::MAX, data, size) }) {
        Err(NOT_FOUND) => Ok(Vec::new()),
        other => other,
    }
}

/// The piece of the response's body that is at hand.
pub fn response_body(size: usize) -> Result<Vec<u8>, HostStatus> {
    let kind = BufferType::HttpResponseBody as u32;
    // SAFETY: Envoy writes both pointers.
    take(|data, taken| unsafe { proxy_get_buffer_bytes(kind, 0, size, data, taken) })
}

/// All request headers, in the form that `bluegreen::Headers` reads.
pub fn request_headers() -> Result<Vec<u8>, HostStatus> {
    let map = MapType::HttpRequestHeaders as u32;
    // SAFETY: Envoy writes both pointers.
    take(|data, size| unsafe { proxy_get_header_map_pairs(map, data, size) })
}

/// Sets a request header and drops all values that it had.
pub fn set_request_header(name: &str, value: &str) -> Result<(), HostStatus> {
    set_header(MapType::HttpRequestHeaders, name, value)
}

/// Sets a response header and drops all values that it had.
pub fn set_response_header(name: &str, value: &str) -> Result<(), HostStatus> {
    set_header(MapType::HttpResponseHeaders, name, value)
}

fn set_header(map: MapType, name: &str, value: &str) -> Result<(), HostStatus> {
    // SAFETY: Envoy reads the two strings while the call lasts.
    done(unsafe {
        proxy_replace_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    })
}

/// Adds a response header beside those of its name.
pub fn add_response_header(name: &str, value: &str) -> Result<(), HostStatus> {
    let map = MapType::HttpResponseHeaders as u32;
    // SAFETY: Envoy reads the two strings while the call lasts.
    done(unsafe {
        proxy_add_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

/// Removes all values of a request header.
pub fn remove_request_header(name: &str) -> Result<(), HostStatus> {
    remove_header(MapType::HttpRequestHeaders, name)
}

fn remove_header(map: MapType, name: &str) -> Result<(), HostStatus> {
    // SAFETY: Envoy reads the name while the call lasts.
    done(unsafe { proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) })
}

/// The first value of a response header.
pub fn response_header(name: &str) -> Option<Vec<u8>> {
    first_value(MapType::HttpResponseHeaders, name)
}

/// The first value of a response header, all of whose values are removed.
pub fn take_response_header(name: &str) -> Option<Vec<u8>> {
    let value = response_header(name)?;
    let _ = remove_header(MapType::HttpResponseHeaders, name);
    Some(value)
}

/// The first value of a response trailer.
pub fn response_trailer(name: &str) -> Option<Vec<u8>> {
    first_value(MapType::HttpResponseTrailers, name)
}

fn first_value(map: MapType, name: &str) -> Option<Vec<u8>> {
    // SAFETY: Envoy reads the name while the call lasts and writes both pointers.
    take(|data, size| unsafe {
        proxy_get_header_map_value(map as u32, name.as_ptr(), name.len(), data, size)
    })
    .ok()
}

/// Answers the request, so that it reaches no upstream.
pub fn respond(status: u32, headers: &[(&str, &str)], body: &[u8]) -> Result<(), HostStatus> {
    let headers = pairs(headers);
    // SAFETY: Envoy reads headers and body while the call lasts.
    done(unsafe {
        proxy_send_local_response(
            status,
            null(),
            0,
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            NO_GRPC_STATUS,
        )
    })
}

const NO_GRPC_STATUS: i32 = -1;

/// Headers in the form that `bluegreen::Headers` reads.
fn pairs(headers: &[(&str, &str)]) -> Vec<u8> {
    let length = |text: &str| u32::try_from(text.len()).unwrap_or(0).to_le_bytes();
    let count = u32::try_from(headers.len()).unwrap_or(0);
    let mut block = count.to_le_bytes().to_vec();
    for (name, value) in headers {
        block.extend(length(name));
        block.extend(length(value));
    }
    for (name, value) in headers {
        block.extend(name.bytes().chain([0]).chain(value.bytes()).chain([0]));
    }
    block
}

/// A property, by its path with zero bytes between the segments. Absent ones are `None`.
pub fn property(path: &[u8]) -> Option<Vec<u8>> {
    // SAFETY: Envoy reads the path while the call lasts and writes both pointers.
    take(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) }).ok()
}

/// Whether a property is there and true.
pub fn is_true(path: &[u8]) -> bool {
    property(path).is_some_and(|value| value == [1])
}

/// A property that is an integer.
pub fn int_property(path: &[u8]) -> Option<u64> {
    let bytes = property(path)?;
    Some(u64::from_le_bytes(*bytes.first_chunk()?))
}

/// Major and minor version of Envoy. Two numbers of its node are read, not the node, which is large.
pub fn envoy_version() -> Option<(u64, u64)> {
    let major = int_property(b"xds\0node\0user_agent_build_version\0version\0major_number")?;
    let minor = int_property(b"xds\0node\0user_agent_build_version\0version\0minor_number")?;
    Some((major, minor))
}

/// A CEL expression over a stream's properties.
#[derive(Clone, Copy, Debug)]
pub struct Expression([u8; 4]);

/// Has Envoy compile an expression. It is not had where the foreign function is not allowed.
pub fn compile(expression: &str) -> Option<Expression> {
    let token = take(|data, size| foreign("expr_create", expression.as_bytes(), data, size));
    Some(Expression(*token.ok()?.first_chunk()?))
}

/// Evaluates an expression for the stream at hand, and gives the length of the resulting string.
/// The string itself stays with Envoy: to hand it over costs more than to make it.
pub fn evaluate_to_length(expression: Expression) -> Option<usize> {
    let mut size = 0;
    let status = foreign("expr_evaluate", &expression.0, null_mut(), &mut size);
    done(status).ok().map(|()| size)
}

/// Calls a function that Envoy has beyond the ABI. It makes no block in the VM where `data` is null.
fn foreign(function: &str, argument: &[u8], data: *mut *mut u8, size: *mut usize) -> u32 {
    // SAFETY: Envoy reads the two slices while the call lasts, and writes the pointers that are not null.
    unsafe {
        proxy_call_foreign_function(
            function.as_ptr(),
            function.len(),
            argument.as_ptr(),
            argument.len(),
            data,
            size,
        )
    }
}

/// Defines a metric, or finds the one that has this name.
pub fn define_metric(kind: MetricType, name: &str) -> Result<u32, HostStatus> {
    let mut id = 0;
    // SAFETY: Envoy reads the name while the call lasts and writes `id`.
    done(unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &mut id) })?;
    Ok(id)
}

/// Adds to a counter or gauge.
pub fn increment_metric(id: u32, offset: i64) {
    // SAFETY: numbers alone are passed. The only refusals are an unknown id and a step that the kind
    // of metric does not take; `metrics` makes neither.
    let _ = unsafe { proxy_increment_metric(id, offset) };
}

/// What a counter or gauge stands at, over all workers.
pub fn metric(id: u32) -> u64 {
    let mut value = 0;
    // SAFETY: Envoy writes the eight bytes of `value`.
    let _ = unsafe { proxy_get_metric(id, &mut value) };
    value
}

/// Sets a gauge or adds a sample to a histogram.
pub fn record_metric(id: u32, value: u64) {
    // SAFETY: as for `increment_metric`.
    let _ = unsafe { proxy_record_metric(id, value) };
}

/// What all workers share under a key, with the number that its next change has to know; `None` where
/// there is nothing.
pub fn shared_data(key: &str) -> Result<Option<(Vec<u8>, u32)>, HostStatus> {
    let mut cas = 0;
    // SAFETY: Envoy reads the key while the call lasts and writes both pointers and `cas`.
    let value = take(|data, size| unsafe {
        proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &mut cas)
    });
    match value {
        Ok(value) => Ok(Some((value, cas))),
        Err(NOT_FOUND) => Ok(None),
        Err(status) => Err(status),
    }
}

/// Changes what all workers share under a key, and says whether it did: not where another has changed
/// it since `cas`. With a `cas` of 0 it changes it whatever stands there.
pub fn set_shared_data(key: &str, value: &[u8], cas: u32) -> Result<bool, HostStatus> {
    // SAFETY: Envoy reads key and value while the call lasts.
    let status =
        unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas) };
    match done(status) {
        Err(HostStatus::CAS_MISMATCH) => Ok(false),
        other => other.map(|()| true),
    }
}

/// Makes the calls that follow, until Envoy's call into the VM ends, concern another stream.
pub fn set_effective_context(context: u32) -> Result<(), HostStatus> {
    // SAFETY: a number alone is passed.
    done(unsafe { proxy_set_effective_context(context) })
}

/// Lets the request at hand go on that was held back. Where none is at hand nothing happens.
pub fn continue_request() -> Result<(), HostStatus> {
    const REQUEST: u32 = 0;
    // SAFETY: a number alone is passed.
    done(unsafe { proxy_continue_stream(REQUEST) })
}

/// Calls a cluster. The answer comes to the root context, by the number that this gives. The SDK registers it, and
/// needs to be allowed to set the effective context then.
pub fn call(
    cluster: &str,
    headers: Vec<(&str, &str)>,
    body: &[u8],
    timeout: Duration,
) -> Result<u32, HostStatus> {
    dispatch_http_call(cluster, headers, Some(body), Vec::new(), timeout)
        .map_err(|status| HostStatus(status as u32))
}

/// The status and the body of the answer to a call.
pub fn call_response() -> (u64, Vec<u8>) {
    let status = first_value(MapType::HttpCallResponseHeaders, ":status");
    let status = status.and_then(|it| std::str::from_utf8(&it).ok()?.parse().ok());
    let kind = BufferType::HttpCallResponseBody as u32;
    // SAFETY: Envoy writes both pointers.
    let body =
        take(|data, size| unsafe { proxy_get_buffer_bytes(kind, 0, usize::MAX, data, size) });
    (status.unwrap_or(0), body.unwrap_or_default())
}

/// A variable of the VM's environment.
pub fn environment_variable(name: &str) -> Option<String> {
    let (mut count, mut size) = (0, 0);
    // SAFETY: Envoy writes both numbers.
    let status = unsafe { environ_sizes_get(&mut count, &mut size) };
    if status != 0 {
        return None;
    }
    let mut variables = vec![null_mut(); count];
    let mut block = vec![0; size];
    // SAFETY: Envoy writes as many pointers and bytes as it has just said.
    let status = unsafe { environ_get(variables.as_mut_ptr(), block.as_mut_ptr()) };
    if status != 0 {
        return None;
    }
    let mut pairs = block.split(|byte| *byte == 0);
    let value = pairs.find_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
    String::from_utf8(value.to_vec()).ok()
}

/// Makes Envoy call `on_tick` of this root context so often.
pub fn set_tick_period(period_ms: u32) -> Result<(), HostStatus> {
    // SAFETY: a number alone is passed.
    done(unsafe { proxy_set_tick_period_milliseconds(period_ms) })
}

const fn done(status: u32) -> Result<(), HostStatus> {
    if status == OK {
        Ok(())
    } else {
        Err(HostStatus(status))
    }
}

/// Takes over the block that a call makes Envoy allocate in the VM.
fn take(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>, HostStatus> {
    let mut data = null_mut();
    let mut size = 0;
    done(call(&mut data, &mut size))?;
    if data.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: Envoy got the block from the SDK's `malloc` export, which makes it as a boxed slice of
    // just `size` bytes by the same allocator, and has given it away.
    Ok(unsafe { Vec::from_raw_parts(data, size, size) })
}
