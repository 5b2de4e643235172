// Vercel's AI SDK, over each of its three ways to a server like this one.
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { AISDKError, embedMany, generateText, Output, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

globalThis.AI_SDK_LOG_WARNINGS = false;
const city = z.object({ name: z.string(), country: z.string() });
const weather = tool({
  description: "The weather in a city.",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `Sunny in ${city}`,
});

// What went wrong is one of the parts; to read on after it is up to the reader.
async function* parts(result) {
  for await (const part of result.fullStream) {
    if (part.type === "error") throw part.error;
    yield part;
  }
}

export function asking({ url, key, model, way, usage }) {
  const settings = { baseURL: `${url}/v1`, apiKey: key };
  const openai = createOpenAI(settings);
  const compatible = createOpenAICompatible({
    ...settings,
    name: "gateway",
    includeUsage: usage ?? true,
    supportsStructuredOutputs: true,
  });
  const speaks = { compatible, chat: openai.chat, responses: openai.responses }[way];
  const asks = { model: speaks(model), prompt: "Hello there", maxRetries: 0, onError() {} };
  return {
    async chat() {
      const { text, usage: used } = await generateText(asks);
      return { pieces: [text], tokens: used.outputTokens };
    },

    async stream() {
      const pieces = [];
      const result = streamText(asks);
      for await (const part of parts(result)) {
        if (part.type === "text-delta") pieces.push(part.text);
      }
      return { pieces, tokens: (await result.usage).outputTokens ?? null };
    },

    async tool({ streams }) {
      const agent = { ...asks, tools: { weather }, stopWhen: stepCountIs(3) };
      const result = streams ? streamText(agent) : await generateText(agent);
      if (streams) for await (const _ of parts(result));
      const [call] = (await result.steps)[0].toolCalls;
      return { name: call.toolName, arguments: call.input, text: await result.text };
    },

    async read_object() {
      return (await generateText({ ...asks, output: Output.object({ schema: city }) })).output;
    },

    async embed() {
      const embedder = way === "compatible" ? compatible.embeddingModel(model) : openai.embedding(model);
      const values = ["one", "two"];
      return (await embedMany({ model: embedder, values, maxRetries: 0 })).embeddings;
    },

    async leave() {
      const leaving = new AbortController();
      const result = streamText({ ...asks, abortSignal: leaving.signal });
      for await (const part of parts(result)) {
        if (part.type === "text-delta") leaving.abort();
      }
    },
  };
}

export function failure(error) {
  if (!AISDKError.isInstance(error)) return null;
  const wait = error.responseHeaders?.["retry-after"] ?? null;
  return { status: error.statusCode ?? null, wait };
}
