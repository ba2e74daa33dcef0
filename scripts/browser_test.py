#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tries the page that scripts/browser.sh builds in headless Chromium, as a person would.

    scripts/browser_test.py [FOLDER [SCREENSHOT.png]]

Needs Debian's chromium and, in a virtual environment, playwright. Prints bytes and milliseconds.
"""
import functools
import http.server
import os
import statistics
import sys
import threading

from playwright.sync_api import sync_playwright

folder = sys.argv[1] if len(sys.argv) > 1 else "build/browser"
picture = sys.argv[2] if len(sys.argv) > 2 else None


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def expect(truth, sentence):
    print("ok    " if truth else "FAILED", sentence)
    if not truth:
        sys.exit(1)


def times(page, call, count):
    return page.evaluate(f"Array.from({{length: {count}}}, (_, i) => {call}.time)")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
threading.Thread(target=server.serve_forever, daemon=True).start()
with sync_playwright() as play:
    browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 960, "height": 600})
    failures = []
    page.on("pageerror", lambda failure: failures.append(str(failure)))
    page.goto(f"http://127.0.0.1:{server.server_port}/")
    page.wait_for_function("document.getElementById('state').textContent !== 'Loading …'")
    expect(page.text_content("#state") == "Ready.", "the page loads its model: " + page.text_content("#state"))
    loaded = page.evaluate("performance.now()")

    def shown(canvas):
        return page.evaluate(f"Array.from(find('{canvas}').getContext('2d').getImageData(0, 0, 28, 28).data)")

    draw = times(page, "call('draw', i)", 100)
    first = shown("drawn")
    expect(len(set(first)) > 50, "a garment has many shades")
    page.click("#another")
    second = shown("drawn")
    expect(second != first, "another seed draws another garment")
    expect(shown("between") == first, "the slider begins at the first seed's garment")
    page.fill("#position", "50")
    half = shown("between")
    page.fill("#position", "100")
    # Each end is sin(ψ) / sin(ψ) of its noise: exact but for rounding.
    expect(max(abs(a - b) for a, b in zip(shown("between"), second)) <= 1, "and ends at the second's")
    expect(half not in (first, second), "with others between")
    page.fill("#position", "50")

    box = page.locator("#brush").bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.75 * box["height"])
    page.mouse.down()
    for row in (0.75, 0.85, 0.95):
        page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + row * box["height"])
        page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + row * box["height"], steps=20)
    page.mouse.up()
    mask = page.evaluate("Array.from(mask)")
    expect(0.1 < sum(mask) / 784 < 0.6, "the brush marks what it passes")
    if picture:
        page.screenshot(path=picture.replace(".png", "_marked.png"))
    page.click("#fill")
    filled = shown("brush")
    kept = [4 * i for i in range(784) if not mask[i]]
    expect(all(filled[i] == first[i] for i in kept), "what was not marked stays as it was")
    expect(any(filled[4 * i] != first[4 * i] for i in range(784) if mask[i]), "what was marked is new")
    page.click("#fill")
    expect(shown("brush") != filled, "and another try is another one")
    if picture:
        page.screenshot(path=picture)
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 390, "height": 1400})
        page.screenshot(path=picture.replace(".png", "_narrow.png"))
        page.set_viewport_size({"width": 960, "height": 600})
    fill = times(page, "(fill(), call('fill', i))", 5)
    message = page.evaluate("try { call('load', 0, 0) } catch (failure) { failure.message }")
    expect("truncated" in message, "a file that is none is an error that says so: " + message)
    expect(not failures, f"the page has no errors {failures}")
    browser.close()

sizes = {name: os.path.getsize(os.path.join(folder, name)) for name in sorted(os.listdir(folder))}
print(*(f"{size:>9,} {name}" for name, size in sizes.items()), sep="\n")
print(f"ready after {loaded:.0f} ms")
for name, all_times in {"one garment": draw, "filled in by 17 evaluations": fill}.items():
    print(f"{name}: median {statistics.median(all_times):.1f} ms, least {min(all_times):.1f} ms of {len(all_times)}")
