// Hears pictures that are pasted into the page or dropped on it, and sends them to the page.

const LIMIT = 50_000_000; // bytes
const ears = new Map(); // by root, since the page calls again with each run

export default function ({ parentElement, setTriggerValue }) {
  const ear = ears.get(parentElement) ?? new Ear(parentElement);
  ear.send = (picture) => setTriggerValue("picture", picture);
  return () => ear.leave();
}

class Ear {
  constructor(root) {
    this.root = root;
    this.listeners = { paste: (event) => this.paste(event), dragover: (event) => this.over(event), drop: (event) => this.drop(event) };
    for (const [name, heard] of Object.entries(this.listeners)) window.addEventListener(name, heard, true);
    ears.set(root, this);
  }

  leave() {
    for (const [name, heard] of Object.entries(this.listeners)) window.removeEventListener(name, heard, true);
    ears.delete(this.root);
  }

  // Where words are on the clipboard too, as from a document, the words are meant.
  paste(event) {
    const { clipboardData } = event;
    if (clipboardData && !clipboardData.types.includes("text/plain")) this.take(event, clipboardData.files);
  }

  over(event) {
    if (event.dataTransfer?.types.includes("Files") && !isUploader(event)) event.preventDefault();
  }

  drop(event) {
    if (!isUploader(event)) this.take(event, event.dataTransfer?.files ?? []);
  }

  take(event, files) {
    const [file] = [...files].filter(({ type }) => type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (file.size > LIMIT) return this.send({ name: file.name, data: "" });
    const reader = new FileReader();
    reader.onload = () => this.send({ name: file.name, data: reader.result.slice(reader.result.indexOf(",") + 1) });
    reader.readAsDataURL(file);
  }
}

function isUploader(event) {
  return event.composedPath().some((node) => node.matches?.("[data-testid=stFileUploader]"));
}
