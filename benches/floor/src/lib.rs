//! The least that a Wasm filter must do to split: have Envoy hand over the request's headers, and set the
//! routing header. It parses and counts nothing; requests go to blue and green in turn.

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, MapType};
use std::ptr::null_mut;

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| Box::new(Floor));
}}

#[derive(Debug)]
struct Floor;

#[derive(Debug)]
struct Stream {
    cluster: &'static str,
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
}

const MAP: u32 = MapType::HttpRequestHeaders as u32;
const ROUTE_HEADER: &str = "x-bluegreen-cluster";

// === impl Floor ===

impl Context for Floor {}

impl RootContext for Floor {
    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        let cluster = if context_id % 2 == 0 { "blue" } else { "green" };
        Some(Box::new(Stream { cluster }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

// === impl Stream ===

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let (mut data, mut size) = (null_mut(), 0);
        // SAFETY: Envoy writes both pointers, to a block that the SDK's allocator made as a boxed slice.
        unsafe {
            proxy_get_header_map_pairs(MAP, &mut data, &mut size);
            drop(Vec::from_raw_parts(data, size, size));
        }
        let (name, value) = (ROUTE_HEADER, self.cluster);
        // SAFETY: Envoy reads the two strings while the call lasts.
        unsafe {
            proxy_replace_header_map_value(
                MAP,
                name.as_ptr(),
                name.len(),
                value.as_ptr(),
                value.len(),
            );
        }
        Action::Continue
    }
}
