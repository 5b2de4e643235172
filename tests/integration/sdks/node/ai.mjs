// Vercel's AI SDK, over each of its three ways to a server like this one.
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, embedMany, generateText, Output, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

globalThis.AI_SDK_LOG_WARNINGS = false;
const { GATEWAY_URL, GATEWAY_KEY, WAY } = process.env;
const settings = { baseURL: `${GATEWAY_URL}/v1`, apiKey: GATEWAY_KEY };
const compatible = createOpenAICompatible({ ...settings, name: "gateway", includeUsage: true });
const openai = createOpenAI(settings);
const ways = { compatible, chat: openai.chat, responses: openai.responses };
const asking = (model, more = {}) => ({
  model: ways[WAY](model),
  prompt: "Hello there",
  maxRetries: 0,
  ...more,
});

const weather = tool({
  description: "The weather in a city.",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `Sunny in ${city}`,
});
const agent = { tools: { weather }, stopWhen: stepCountIs(3) };

const spent = (usage) => usage.inputTokens > 0 && usage.outputTokens > 0;

async function read(result) {
  const pieces = [];
  for await (const piece of result.textStream) pieces.push(piece);
  return { text: pieces.join(""), pieces: pieces.length, spent: spent(await result.usage) };
}

export const cases = {
  async chat(model) {
    const { text, finishReason, usage } = await generateText(asking(model));
    return { text, finish: finishReason, spent: spent(usage) };
  },

  stream: async (model) => read(streamText(asking(model))),

  async tool(model) {
    const { text, steps } = await generateText(asking(model, agent));
    const [result] = steps[0].toolResults;
    return { text, name: result.toolName, input: result.input, output: result.output };
  },

  streamed_tool: async (model) => read(streamText(asking(model, agent))),

  async object(model) {
    const output = Output.object({ schema: z.object({ name: z.string() }) });
    return (await generateText(asking(model, { output }))).output;
  },

  async embed(model) {
    const speaks = WAY === "compatible" ? compatible.embeddingModel(model) : openai.embedding(model);
    return (await embedMany({ model: speaks, values: ["one", "two"], maxRetries: 0 })).embeddings;
  },

  async failure(model) {
    try {
      await generateText(asking(model));
    } catch (error) {
      const wait = error.responseHeaders?.["retry-after"];
      return { typed: APICallError.isInstance(error), status: error.statusCode, wait };
    }
    return null;
  },
};
