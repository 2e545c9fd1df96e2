// Replicate's own JavaScript client against the server at argv[2]; prints what it got as one line of JSON.
import Replicate from "replicate";

const baseUrl = `${process.argv[2]}/v1`;
const input = { prompt: "lofi", duration: 3 };
const replicate = new Replicate({ auth: "ann", baseUrl });
const got = {};

const output = await replicate.run("meta/musicgen", { input });
got.bytes = (await output.blob()).size;

const logs = [];
await replicate.run("meta/musicgen", { input, wait: { mode: "poll", interval: 50 } }, (one) => logs.push(one.status));
got.lastStatus = logs.at(-1);

const made = await replicate.predictions.create({ model: "meta/musicgen", input });
got.canceled = (await replicate.predictions.cancel(made.id)).id === made.id;

const ids = [];
for await (const page of replicate.paginate(replicate.predictions.list)) ids.push(...page.map((one) => one.id));
got.listed = ids.length;

const file = await replicate.files.create(new Blob(["hello"]), { take: 1 });
got.file = { size: file.size, metadata: file.metadata };
await replicate.files.delete(file.id);

got.streamed = [];
for await (const event of replicate.stream("meta/musicgen", { input })) got.streamed.push(event.event);

got.models = (await replicate.models.list()).results.map((model) => `${model.owner}/${model.name}`);
got.secret = (await replicate.webhooks.default.secret.get()).key.startsWith("whsec_");

try {
  await replicate.run("meta/musicgen", { input: {} });
} catch (error) {
  got.badInput = { status: error.response.status, message: error.message };
}
try {
  await new Replicate({ auth: "bad", baseUrl }).run("meta/musicgen", { input });
} catch (error) {
  got.badToken = error.response.status;
}
console.log(JSON.stringify(got));
