"""The bare onnxruntime-genai loop, as a child of ``path_overhead.py``; needs nothing of foundry-tui.

Reads one JSON object a line on stdin (``prompt``, ``max_tokens``), answers each with one where stdout was.
TTFT counts from before the chat template is applied: template, tokenizer, generator and prefill are all in
it, as they are in what the runtime does for a request.  The cache is only as long as the answer needs it.
"""

import json
import os
import sys
import time

import onnxruntime_genai as og

__all__: list[str] = []


def main() -> None:
    """Serve until stdin closes."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # whatever a library prints
        model = og.Model(sys.argv[1])
        tokenizer = og.Tokenizer(model)
        print(json.dumps({"versions": f"onnxruntime-genai {og.__version__}"}), file=answers, flush=True)
        for line in sys.stdin:
            asked = json.loads(line)
            messages = json.dumps([{"role": "user", "content": asked["prompt"]}])
            sent_ns = time.perf_counter_ns()
            prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True)
            tokens = tokenizer.encode(prompt)
            parameters = og.GeneratorParams(model)
            parameters.set_search_options(do_sample=False, max_length=len(tokens) + asked["max_tokens"])
            generator = og.Generator(model, parameters)
            pieces = tokenizer.create_stream()
            generator.append_tokens(tokens)
            chunks: list[tuple[int, str]] = []
            count = 0
            while not generator.is_done():
                generator.generate_next_token()
                count += 1
                text = pieces.decode(generator.get_next_tokens()[0])
                if text:
                    chunks.append((time.perf_counter_ns(), text))
            answer = {"opened_ns": sent_ns, "sent_ns": sent_ns, "chunks": chunks, "tokens": count}
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
