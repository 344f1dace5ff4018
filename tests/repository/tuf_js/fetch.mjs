// A plain TUF client that nobody here wrote: refresh from the shipped root, download what is asked for.
// usage: node fetch.mjs ROOT-DIRECTORY BASE-URL TARGET-DIRECTORY TARGET...
import { Updater } from "tuf-js";

const [metadataDir, base, targetDir, ...targets] = process.argv.slice(2);
const updater = new Updater({
  metadataDir,
  metadataBaseUrl: `${base}/metadata`,
  targetDir,
  targetBaseUrl: `${base}/targets`,
});
await updater.refresh();
for (const path of targets) {
  const target = await updater.getTargetInfo(path);
  if (!target) throw new Error(`${path}: not found`);
  console.log(await updater.downloadTarget(target));
}
