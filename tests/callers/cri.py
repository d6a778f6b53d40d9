#!/usr/bin/env python3
"""cri.py SOCKET METHOD JSON - one call of the Container Runtime Interface, as the kubelet makes it:
gRPC by curl. The JSON has the members that are needed here by the names of cri-api's api.proto; what
comes back is told as "member: value" of the answer's own members, and ends with its status."""
import json
import subprocess
import sys
import tempfile

NAMESPACES = {"network": 1, "pid": 2, "ipc": 3}  # NamespaceOption, of POD 0, CONTAINER 1, NODE 2
SECURITY = {"namespace_options": (1, NAMESPACES)}
SANDBOX = {
    "metadata": (1, {"name": 1, "uid": 2, "namespace": 3}), "hostname": 2, "log_directory": 3,
    "linux": (8, {"cgroup_parent": 1, "security_context": (2, SECURITY)}),
}
CONTAINER = {
    "metadata": (1, {"name": 1}), "image": (2, {"image": 1}), "command": 3, "log_path": 11,
    "linux": (15, {
        "resources": (1, {"cpu_period": 1, "cpu_quota": 2, "cpu_shares": 3, "memory_limit_in_bytes": 4}),
        "security_context": (2, {"namespace_options": (3, NAMESPACES)}),
    }),
}
CONTAINER_ID = {"container_id": 1}
SANDBOX_ID = {"pod_sandbox_id": 1}
# METHOD: what is asked, what is answered
METHODS = {
    "Version": ({}, {"version": 1, "runtime_name": 2}),
    "RunPodSandbox": ({"config": (1, SANDBOX), "runtime_handler": 2}, SANDBOX_ID),
    "CreateContainer": ({"pod_sandbox_id": 1, "config": (2, CONTAINER), "sandbox_config": (3, SANDBOX)}, CONTAINER_ID),
    "StartContainer": (CONTAINER_ID, {}),
    "ExecSync": ({"container_id": 1, "cmd": 2, "timeout": 3}, {"stdout": 1, "stderr": 2, "exit_code": 3}),
    "ContainerStatus": (CONTAINER_ID, {"status": (1, {"state": 3, "exit_code": 7})}),
    "UpdateContainerResources": (
        {"container_id": 1, "linux": (2, {"cpu_period": 1, "cpu_quota": 2, "memory_limit_in_bytes": 4})}, {}),
    "StopContainer": ({"container_id": 1, "timeout": 2}, {}),
    "RemoveContainer": (CONTAINER_ID, {}),
    "StopPodSandbox": (SANDBOX_ID, {}),
    "RemovePodSandbox": (SANDBOX_ID, {}),
}


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def encode(shape, members):
    out = b""
    for name, value in members.items():
        number, inner = shape[name] if isinstance(shape[name], tuple) else (shape[name], None)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, int):
                out += varint(number << 3) + varint(one)
                continue
            text = encode(inner, one) if inner else one.encode()
            out += varint(number << 3 | 2) + varint(len(text)) + text
    return out


def read_varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def show(shape, data):
    names = {(v[0] if isinstance(v, tuple) else v): k for k, v in shape.items()}
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        value, at = read_varint(data, at)
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        name = names.get(key >> 3)
        if name and isinstance(shape[name], tuple):
            show(shape[name][1], value)
        elif name:
            print(f"{name}: {value.decode() if isinstance(value, bytes) else value}")


def main():
    socket, method, text = sys.argv[1:4]
    asked, answered = METHODS[method]
    message = encode(asked, json.loads(text))
    with tempfile.NamedTemporaryFile() as headers:
        curl = subprocess.run(
            ["curl", "--silent", "--show-error", "--http2-prior-knowledge", "--unix-socket", socket,
             "--dump-header", headers.name, "--header", "content-type: application/grpc", "--header", "te: trailers",
             "--data-binary", "@-", f"http://localhost/runtime.v1.RuntimeService/{method}"],
            input=b"\0" + len(message).to_bytes(4, "big") + message, stdout=subprocess.PIPE, check=False)
        trailers = {line.partition(":")[0]: line.partition(":")[2].strip() for line in open(headers.name)}
    if trailers.get("grpc-status") != "0":
        sys.exit(f"{method}: {trailers.get('grpc-message', f'curl: {curl.returncode}')}")
    show(answered, curl.stdout[5:])


main()
