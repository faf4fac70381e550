#!/usr/bin/env python3
"""C++ for the host of the kernels' source: kernels.py FROM TO writes each file of folder FROM to folder TO. The body of a function that is
PTX becomes a call of its namesake in host.hpp, or ends the program where there is none."""
import os
import re
import sys

source, target = sys.argv[1:]
host = open(os.path.join(os.path.dirname(__file__), "host.hpp")).read().split("namespace host")[1]
known = set(re.findall(r"inline [\w:]+ (\w+)\(", host))
FUNCTION = re.compile(
    r"(?:template <\w+ (?P<template>\w+)> )?static __device__ __forceinline__ [\w ]+? (?P<name>\w+)\((?P<parameters>[^{;]*)\)\s*\{")


def body_end(text, start):
    depth = 1
    while depth > 0:
        depth += {"{": 1, "}": -1}.get(text[start], 0)
        start += 1
    return start


def host_body(function):
    if function["name"] not in known:
        return "abort();"
    names = re.findall(r"\(&(\w+)\)\[\d+\]|(\w+)\s*(?:,|$)", function["parameters"])
    chosen = f"<{function['template']}>" if function["template"] else ""
    return f"return host::{function['name']}{chosen}({', '.join(first or second for first, second in names)});"


os.makedirs(target, exist_ok=True)
for name in os.listdir(source):
    text = open(os.path.join(source, name)).read()
    at = 0
    while function := FUNCTION.search(text, at):
        end = body_end(text, function.end())
        at = function.end()
        if "asm" in re.findall(r"\w+", text[at:end]) and "griddepcontrol" not in text[at:end]:
            lines = "\n" * text.count("\n", at, end)  # a report's lines are then the source's
            text = f"{text[:at]} {host_body(function)} {lines}}}{text[end:]}"
    text = re.sub(r"extern __shared__ (?:__align__\(\d+\) )?(\w+) (\w+)\[\];", r"\1* \2 = (\1*)host::shared;", text)
    # Standard C++ wants the word where a class depends on a template.
    text = re.sub(r"\brows\.(gather|take)<", r"rows.template \1<", text)
    open(os.path.join(target, name), "w").write(text)
