import OpenAI from "openai";

const client = new OpenAI({ apiKey: process.env.OPENAI_API_KEY });

/** Eight seconds of a product, turning on its shelf. */
export async function productClip(product: string): Promise<string> {
  const video = await client.videos.create({
    model: process.env.VIDEO_MODEL ?? "sora-2",
    prompt: `A slow turn around ${product} on a wooden shelf`,
    seconds: "8",
  });
  return video.id;
}
