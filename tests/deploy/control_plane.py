"""A control plane: aggregated discovery over gRPC."""

import queue
import threading
import time
from concurrent import futures
from dataclasses import dataclass, field

import grpc
from envoy.config.core.v3 import extension_pb2  # noqa: F401 the types that resources name
from envoy.config.listener.v3 import listener_pb2  # noqa: F401
from envoy.extensions.http.early_header_mutation.header_mutation.v3 import header_mutation_pb2  # noqa: F401
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2  # noqa: F401
from envoy.extensions.filters.http.router.v3 import router_pb2  # noqa: F401
from envoy.extensions.filters.http.wasm.v3 import wasm_pb2  # noqa: F401
from envoy.extensions.filters.network.http_connection_manager.v3 import (  # noqa: F401
    http_connection_manager_pb2)
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2
from google.protobuf import any_pb2, json_format, wrappers_pb2  # noqa: F401

LDS = "type.googleapis.com/envoy.config.listener.v3.Listener"
ECDS = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"


@dataclass
class Stream:
    """One Envoy's connection: what it asked for, what it is to get."""
    node: str = ""
    types: set = field(default_factory=set)
    outbox: queue.Queue = field(default_factory=queue.Queue)


class ControlPlane(ads_pb2_grpc.AggregatedDiscoveryServiceServicer):
    def __init__(self):
        self.changed = threading.Condition()
        self.resources = {}
        self.streams = []
        self.verdicts = {}  # (node, type, version) -> None for an ACK, the message for a NACK
        self.server = grpc.server(futures.ThreadPoolExecutor(max_workers=32))
        ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(self, self.server)
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for stream in self.streams:
            stream.outbox.put(None)
        self.server.stop(1).wait()

    def push(self, kind: str, resources: list) -> str:
        """Sends all resources of a type, as JSON of their protobuf with `@type`; gives their version."""
        packed = [json_format.ParseDict(resource, any_pb2.Any()) for resource in resources]
        with self.changed:
            version = str(int(self.resources.get(kind, ("0",))[0]) + 1)
            self.resources[kind] = (version, packed)
            for stream in self.streams:
                if kind in stream.types:
                    stream.outbox.put(self._response(kind))
        return version

    def verdict(self, kind: str, version: str, nodes, patience=30) -> dict:
        """What each node says of a version: None is an ACK, a text is a NACK."""
        deadline = time.monotonic() + patience
        keys = {node: (node, kind, version) for node in nodes}
        with self.changed:
            while not all(key in self.verdicts for key in keys.values()):
                left = deadline - time.monotonic()
                assert left > 0, f"version {version}: no verdict from {[n for n in nodes if keys[n] not in self.verdicts]}"
                self.changed.wait(left)
            return {node: self.verdicts[key] for node, key in keys.items()}

    def StreamAggregatedResources(self, requests, _context):
        stream = Stream()
        self.streams.append(stream)
        threading.Thread(target=self._read, args=(stream, requests), daemon=True).start()
        yield from iter(stream.outbox.get, None)

    def _read(self, stream, requests):
        try:
            for request in requests:
                self._take(stream, request)
        except grpc.RpcError:
            pass  # the Envoy has left
        stream.outbox.put(None)

    def _take(self, stream, request):
        with self.changed:
            stream.node = stream.node or request.node.id
            kind = request.type_url
            if request.response_nonce:
                failed = request.HasField("error_detail")
                key = (stream.node, kind, request.response_nonce)
                self.verdicts[key] = request.error_detail.message if failed else None
                self.changed.notify_all()
            if kind not in stream.types:
                stream.types.add(kind)
                if kind in self.resources:
                    stream.outbox.put(self._response(kind))

    def _response(self, kind):
        version, packed = self.resources[kind]
        return discovery_pb2.DiscoveryResponse(
            version_info=version, nonce=version, type_url=kind, resources=packed)
