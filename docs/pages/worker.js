/* Search where pages are opened as files: browsers refuse workers there, so the worker's script runs in a hidden frame. */
if (location.protocol === "file:") {
  window.IFrameWorker = window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.documentElement.append(frame);
      const inside = frame.contentWindow;
      this.ready = new Promise((done) => {
        inside.document.open();
        inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
        inside.importScripts = async (...sources) => {
          for (const src of sources)
            await new Promise((loaded) => {
              inside.document.body.append(Object.assign(inside.document.createElement("script"), { src, onload: loaded }));
            });
        };
        inside.started = () => done(inside);
        inside.document.write(`<body><script src="${url}" onload="started()"></script></body>`);
        inside.document.close();
      });
    }
    postMessage(data) {
      this.ready.then((inside) => inside.dispatchEvent(new MessageEvent("message", { data })));
    }
    terminate() {}
  };
}
