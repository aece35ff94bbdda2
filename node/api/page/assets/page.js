// The page works without this. It lets files be dropped and pasted, says what was chosen before it is sent.
"use strict";
(() => {
  const form = document.querySelector("form.ask");
  const MIB = 1048576;

  if (form) {
    const input = form.querySelector("input[type=file]");
    const text = form.querySelector("textarea");
    const live = form.querySelector(".live");
    const limit = {
      files: Number(form.dataset.maxFiles),
      file: Number(form.dataset.maxFileBytes),
      form: Number(form.dataset.maxFormBytes),
    };
    const say = (words, isProblem = false) => {
      live.textContent = words;
      live.classList.toggle("problem", isProblem);
    };

    // What the node would refuse anyway, said before anything is sent.
    const problem = (files) => {
      if (files.length > limit.files) {
        return `These are ${files.length} files; at most ${limit.files} can be verified at once.`;
      }
      const large = files.find((file) => file.size > limit.file);
      if (large) {
        return `${large.name} has ${Math.ceil(large.size / MIB)} MiB; a file may have ${limit.file / MIB} MiB. ` +
          "A dossier has about 30 kB.";
      }
      const total = files.reduce((sum, file) => sum + file.size, 0);
      return total > limit.form ? `Together these are more than ${limit.form / MIB} MiB.` : "";
    };

    // Why nothing is chosen, until something is.
    let wrong = "";
    const chosen = () => {
      const files = [...input.files];
      wrong = problem(files);
      if (wrong) {
        input.value = "";
        say(wrong, true);
        return false;
      }
      say(files.length ? `Chosen: ${files.map((file) => file.name).join(", ")}` : "");
      return files.length > 0;
    };

    const take = (files) => {
      input.files = files;
      if (chosen()) {
        form.requestSubmit();
      }
    };

    document.documentElement.classList.add("can-drop");
    input.addEventListener("change", chosen);
    form.addEventListener("submit", (event) => {
      if (!input.files.length && !text.value.trim()) {
        event.preventDefault();
        say(wrong || "Choose a file first, drop one here, or paste its text.", true);
        input.focus();
        return;
      }
      say("Verifying…");
    });

    const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    document.addEventListener("dragover", (event) => {
      if (hasFiles(event)) {
        event.preventDefault();
        form.classList.add("dropping");
      }
    });
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) {
        form.classList.remove("dropping");
      }
    });
    document.addEventListener("drop", (event) => {
      if (hasFiles(event)) {
        event.preventDefault();
        form.classList.remove("dropping");
        take(event.dataTransfer.files);
      }
    });
    document.addEventListener("paste", (event) => {
      const data = event.clipboardData;
      if (!data || event.target.closest?.("textarea, input")) {
        return;
      }
      if (data.files.length) {
        event.preventDefault();
        take(data.files);
      } else if (data.getData("text").trim()) {
        event.preventDefault();
        text.closest("details").open = true;
        text.value = data.getData("text");
        say("Pasted. Press Verify.");
        form.querySelector("button").focus();
      }
    });
    // A page that comes back from the browser's memory is not verifying any more.
    window.addEventListener("pageshow", () => say(""));
  }
})();
