//! The filter in a real Envoy with real upstreams, through the shipped `envoy/` files.

mod common;
mod counts;

mod answers;
mod color_header;
mod grpc;
mod listeners;
mod metrics;
mod new_cookie;
mod push;
mod route_header;
mod routing;
mod series;
mod shift;
mod sticky;
mod streams;
mod times;
mod websocket;
